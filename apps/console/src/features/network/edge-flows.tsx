import type { NetworkEdge, StoredFlow } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useFormat } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { portText } from "./edge-filter.ts";
import { ownName } from "./ends.ts";
import { connectionsOver, type Span } from "./hours.ts";
import classes from "./network.module.css";

const HourChart = lazy(async () => ({ default: (await import("../overview/hour-chart.tsx")).HourChart }));
const perPage = 500;
const mostPages = 6;
const shown = 12;

interface Props {
  edge: NetworkEdge;
  since: number;
  until: number;
}

/** When it happened, hour by hour, and the latest hours by pod. */
export function EdgeFlows({ edge, since, until }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const { data, error, refetch } = useQuery({
    queryKey: ["network-flows", edge.id, since],
    queryFn: async () => allFlows(edge, since, until),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={4} />;
  const { spans, byDay } = connectionsOver(data.flows, since, until);
  const tip = ({ time, count }: Span): string =>
    `${byDay ? format.day(time) : format.exact(time)}: ${t("network.connectionsOf", { count, text: format.number(count) })}`;
  return (
    <Section title={t("network.overTime")}>
      {spans.length > 1 && (
        <div className={classes.chart} aria-hidden="true">
          <Suspense>
            <HourChart
              hours={spans}
              labelOf={(time) => (byDay ? format.day(time) : format.hour(time))}
              tipOf={tip}
              onPick={() => undefined}
            />
          </Suspense>
        </div>
      )}
      <ul className="hidden-text">
        {spans
          .filter(({ count }) => count > 0)
          .map((one) => (
            <li key={one.time}>{tip(one)}</li>
          ))}
      </ul>
      {data.flows.length === 0 ? (
        <p className="dim">{t("network.noStored")}</p>
      ) : (
        <div className={classes.rows}>
          {data.flows.slice(0, shown).map((flow) => (
            <FlowRow key={flow.id} flow={flow} />
          ))}
        </div>
      )}
      {(data.more || data.flows.length > shown) && <p className="dim">{t("network.moreFlows")}</p>}
    </Section>
  );
}

function FlowRow({ flow }: { flow: StoredFlow }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { client, server, connections, results, processes, node } = flow;
  const bad = (["denied", "refused", "timed-out"] as const).flatMap((result) => {
    const count = results[result] ?? 0;
    return count > 0 ? [`${format.number(count)} ${t(`network.results.${result}`)}`] : [];
  });
  return (
    <div className={classes.row}>
      <span className="dim num">{format.hour(flow.hour)}</span>
      <span className={classes.two}>
        <Line
          text={`${client.workload?.pod ?? ownName({ ...client, key: "?", cluster: "" })} → ${server.workload?.pod ?? ownName({ ...server, key: "?", cluster: "" })}`}
        />
        <span className="cut dim">
          <Line text={[portText(flow), processes.join(", "), ...bad, node].filter(Boolean).join(" · ")} />
        </span>
      </span>
      <span className={`num ${classes.rowEnd}`}>{format.number(connections)}</span>
    </div>
  );
}

async function allFlows(
  edge: NetworkEdge,
  since: number,
  until: number,
): Promise<{ flows: StoredFlow[]; more: boolean }> {
  const flows: StoredFlow[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const query = { client: edge.client.key, server: edge.server.key, cluster: edge.client.cluster, since, until };
    const answer = await api.listNetworkFlows({ query: { ...query, cursor, limit: perPage } });
    flows.push(...answer.items);
    if (answer.next === null) return { flows, more: false };
    cursor = answer.next;
  }
  return { flows, more: true };
}
