import type { NetworkEdge } from "@bulwark/model";
import { EdgeDetail } from "./edge-detail.tsx";
import type { EdgesAnswer } from "./edges-query.ts";
import type { PlaceOf } from "./ends.ts";
import type { MapGraph } from "./graph.ts";
import { LinkDetail } from "./link-detail.tsx";
import type { ChangeNetwork } from "./network-page.tsx";
import { NodeDetail } from "./node-detail.tsx";
import { PoliciesDetail } from "./policies-detail.tsx";
import type { NetworkSearch } from "./search.ts";
import type { WhatIf } from "./what-if.ts";

interface Props {
  answer: EdgesAnswer;
  edges: readonly NetworkEdge[];
  placeOf: PlaceOf;
  graph: MapGraph;
  search: NetworkSearch;
  change: ChangeNetwork;
  onWhatIf: (whatIf: WhatIf | undefined) => void;
}

/** What stands beside the map: an edge, what a line or a node stands for, or policies. */
export function NetworkDetail({ answer, edges, placeOf, graph, search, change, onWhatIf }: Props) {
  const { edge, link, node, policies } = search;
  if (policies !== undefined) {
    return (
      <PoliciesDetail
        // A text that somebody writes is not lost when policies of another place are looked at: it is another pane.
        key={policies}
        id={policies}
        answer={answer}
        search={search}
        change={change}
        onWhatIf={onWhatIf}
      />
    );
  }
  if (edge !== undefined) {
    return <EdgeDetail key={edge} edge={answer.items.find(({ id }) => id === edge)} answer={answer} change={change} />;
  }
  if (link !== undefined)
    return <LinkDetail key={link} link={graph.links.find(({ id }) => id === link)} change={change} />;
  if (node !== undefined) {
    return <NodeDetail key={node} id={node} edges={edges} placeOf={placeOf} graph={graph} change={change} />;
  }
  return null;
}
