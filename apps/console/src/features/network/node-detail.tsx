import { Button } from "@mantine/core";
import type { NetworkEdge } from "@bulwark/model";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Detail, Facts, Section } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { EdgeList } from "./edge-list.tsx";
import { EndAlerts } from "./end-alerts.tsx";
import type { PlaceOf } from "./ends.ts";
import type { MapGraph } from "./graph.ts";
import { useNodeName } from "./names.ts";
import { noDetail } from "./search.ts";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { Quarantine } from "./quarantine.tsx";
import { CutWorkload } from "./workload-quarantine.tsx";

interface Props {
  id: string;
  edges: readonly NetworkEdge[];
  placeOf: PlaceOf;
  graph: MapGraph;
  change: ChangeNetwork;
}

/** A workload, a peer, or a whole group: who it asks, who asks it, and what can be done. */
export function NodeDetail({ id, edges, placeOf, graph, change }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const nameOf = useNodeName();
  const [cutting, setCutting] = useState(false);
  const node = graph.groups.flatMap(({ nodes }) => nodes).find((one) => one.id === id);
  const { out, into, within } = useMemo(() => {
    const isOf = (place: ReturnType<PlaceOf>): boolean => place.member === id || place.group === id;
    const found = { out: [] as NetworkEdge[], into: [] as NetworkEdge[], within: [] as NetworkEdge[] };
    for (const edge of edges) {
      const [from, to] = [isOf(placeOf(edge.client, "client")), isOf(placeOf(edge.server, "server"))];
      if (from || to) found[from && to ? "within" : from ? "out" : "into"].push(edge);
    }
    return found;
  }, [edges, placeOf, id]);
  const end = node?.end;
  const group = id.includes(" ") ? id.slice(0, id.indexOf(" ")) : id;
  const isNamespace = !group.startsWith("@") && !group.endsWith("/");
  const lists = { into, out, within };
  return (
    <Detail
      label={
        end?.workload ? t("cluster.workload") : isNamespace && id === group ? t("cluster.namespace") : t("network.peer")
      }
      title={<Line text={nameOf(id)} />}
      onClose={() => change({ node: undefined })}
    >
      {end && (
        <Facts
          items={[
            [t("field.kind"), end.workload?.kind],
            [t("cluster.name"), end.workload && end.cluster],
            [t("field.node"), end.workload?.node],
            [t("network.address"), end.ip !== null && <code>{end.ip}</code>],
            [t("network.account"), end.workload?.serviceAccount],
          ]}
        />
      )}
      {isNamespace && (
        <div className={classes.buttons}>
          <Button
            variant="default"
            onClick={() => change({ ...noDetail, policies: "new", namespace: group.slice(group.indexOf("/") + 1) })}
          >
            {t("network.learnHere")}
          </Button>
          {end?.workload && (
            <Button variant="default" onClick={() => setCutting(true)}>
              {t("network.cut")}
            </Button>
          )}
        </div>
      )}
      {end?.workload && <CutWorkload end={end} />}
      {(["into", "out", "within"] as const).map(
        (name) =>
          lists[name].length > 0 && (
            <Section
              key={name}
              title={t(`network.lists.${name}`)}
              aside={<span className="dim num">{format.number(lists[name].length)}</span>}
            >
              <EdgeList edges={lists[name]} change={change} />
            </Section>
          ),
      )}
      {end?.workload && <EndAlerts ends={[end]} />}
      {end?.workload && cutting && <Quarantine end={end} close={() => setCutting(false)} />}
    </Detail>
  );
}
