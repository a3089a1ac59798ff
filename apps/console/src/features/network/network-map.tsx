import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { useSize } from "../../ui/size.ts";
import type { MapGraph, MapLink } from "./graph.ts";
import { Legend } from "./legend.tsx";
import { LinkLayer } from "./map-links.tsx";
import { Frames, NodeLayer } from "./map-nodes.tsx";
import { MapView } from "./map-view.tsx";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { boundsOf, headHeight, type Box, type Layout } from "./place.ts";
import { forgetPlaces, placeAgain } from "./remember.ts";
import { routeLinks } from "./route.ts";
import { noDetail, type NetworkSearch } from "./search.ts";
import { isDenied, type WhatIf } from "./what-if.ts";

interface Props {
  graph: MapGraph;
  /** Groups that are open in it. */
  open: ReadonlySet<string>;
  search: NetworkSearch;
  change: ChangeNetwork;
  whatIf: WhatIf | undefined;
}

/** So many lines are drawn; the others are in the table, and counted. */
const mostLinks = 1200;

/** Workloads by namespace, and lines for who talks to whom. All of it is in the table too. */
export function NetworkMap({ graph, open, search, change, whatIf }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [sizeRef, width, height] = useSize();
  const [arranged, setArranged] = useState(0);
  const [pointed, setPointed] = useState<string>();
  const { namespace, q, cluster, node, link, edge } = search;
  // What these filters leave is another picture, not the same with holes.
  const picture = [arranged, cluster ?? "", namespace ?? "", q ?? ""].join("\n");
  const layout = useMemo(() => placeAgain(graph, picture), [graph, picture]);
  const links = useMemo(
    () =>
      whatIf
        ? graph.links.toSorted((a, b) => Number(wouldDeny(whatIf, b)) - Number(wouldDeny(whatIf, a)))
        : graph.links,
    [graph, whatIf],
  );
  const routes = useMemo(() => routeLinks(links.slice(0, mostLinks), layout.nodes), [links, layout]);
  const several = useMemo(
    () => new Set(graph.groups.flatMap(({ id }) => (id.startsWith("@") ? [] : id.slice(0, id.indexOf("/"))))).size,
    [graph],
  );
  const boxes = useMemo(() => withHeads(layout, open), [layout, open]);

  const toggle = useCallback(
    (group: string) => {
      const next = open.has(group) ? [...open].filter((one) => one !== group) : [...open, group];
      change({ open: next.length === 0 ? undefined : next });
    },
    [open, change],
  );
  const select = useCallback((id: string) => change({ ...noDetail, node: id }), [change]);
  const selectLink = useCallback(
    ({ id, edges: [first, ...others] }: MapLink) =>
      change(first && others.length === 0 ? { ...noDetail, edge: first.id } : { ...noDetail, link: id }),
    [change],
  );
  const marked = useMemo(() => {
    const focus = pointed ?? node;
    if (focus !== undefined) return routes.filter((one) => one.link.from === focus || one.link.to === focus);
    if (edge !== undefined) return routes.filter((one) => one.link.edges.some(({ id }) => id === edge));
    if (link !== undefined) return routes.filter((one) => one.link.id === link);
    return whatIf ? routes.filter((one) => wouldDeny(whatIf, one.link)) : undefined;
  }, [routes, pointed, node, edge, link, whatIf]);
  const focus = useMemo(() => {
    const id = node ?? link ?? edge;
    if (id === undefined || !marked) return undefined;
    const ids = marked.flatMap((one) => [one.link.from, one.link.to]);
    const found = [...new Set(ids)].flatMap((one) => layout.nodes.get(one) ?? []);
    return found.length === 0 ? undefined : { id, box: boundsOf(found) };
  }, [node, link, edge, marked, layout]);
  const hidden = graph.links.length - routes.length;

  return (
    <div className={classes.map} ref={sizeRef}>
      <MapView
        label={t("network.map", { groups: graph.groups.length, links: graph.links.length })}
        picture={picture}
        bounds={layout.bounds}
        size={{ width, height }}
        groups={layout.groups}
        open={open}
        focus={focus}
        boxes={boxes}
        onToggle={toggle}
        onSelect={select}
        onArrange={() => {
          forgetPlaces(picture);
          setArranged(arranged + 1);
        }}
      >
        <Frames groups={graph.groups} boxes={layout.groups} />
        <LinkLayer routes={routes} marked={marked} whatIf={whatIf} onSelect={selectLink} />
        <NodeLayer
          graph={graph}
          layout={layout}
          clusters={several}
          selected={node}
          onToggle={toggle}
          onSelect={select}
          onPoint={setPointed}
        />
      </MapView>
      <Legend whatIf={whatIf !== undefined}>
        {hidden > 0 && <span>{t("network.hidden", { count: hidden, text: format.number(hidden) })}</span>}
      </Legend>
    </div>
  );
}

function wouldDeny(whatIf: WhatIf, { edges }: MapLink): boolean {
  return edges.some((edge) => isDenied(whatIf, edge));
}

/** Heads of open groups are reached like nodes. */
function withHeads({ nodes, groups }: Layout, open: ReadonlySet<string>): Map<string, Box> {
  const heads = [...open].flatMap((id) => {
    const box = groups.get(id);
    return box ? [[id, { ...box, height: headHeight }] as const] : [];
  });
  return new Map([...nodes, ...heads]);
}
