import { Button } from "@mantine/core";
import type { ListedEnd, NetworkEdge } from "@bulwark/model";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "../../ui/copy.tsx";
import { useFormat } from "../../ui/format.ts";
import { Detail, Facts, Section } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import { portText } from "./edge-filter.ts";
import { EdgeFlows } from "./edge-flows.tsx";
import type { EdgesAnswer } from "./edges-query.ts";
import { EndAlerts } from "./end-alerts.tsx";
import { encryptionOf, endName, verdictOf } from "./ends.ts";
import { EncryptionMark, NewTag, VerdictLine, VerdictMark } from "./marks.tsx";
import { noDetail } from "./search.ts";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { Quarantine } from "./quarantine.tsx";

interface Props {
  /** Absent where it is not seen in the time that is looked at. */
  edge: NetworkEdge | undefined;
  answer: EdgesAnswer;
  change: ChangeNetwork;
}

/** What two ends had to do with each other: how much, by which ports, who decides, what else is known of them. */
export function EdgeDetail({ edge, answer, change }: Props) {
  const { t } = useTranslation();
  return (
    <Detail
      label={t("network.edge")}
      title={edge ? <Line text={`${endName(edge.client)} → ${endName(edge.server)}`} /> : t("network.gone")}
      onClose={() => change({ edge: undefined })}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {edge ? <Body edge={edge} answer={answer} change={change} /> : <p className="dim">{t("network.goneText")}</p>}
    </Detail>
  );
}

function Body({ edge, answer, change }: Props & { edge: NetworkEdge }) {
  const { t } = useTranslation();
  const { verdict, client, server } = edge;
  return (
    <>
      <div className={classes.summary}>
        <VerdictMark value={verdictOf(edge)} />
        <EncryptionMark value={encryptionOf(edge)} />
        {edge.isNew && <NewTag />}
      </div>
      {verdict && verdict.reason !== "" && (
        <p className={classes.reason}>
          <Raw text={verdict.reason} mono={false} />
        </p>
      )}
      {!verdict && <p className={classes.reason}>{t("network.unjudgedText")}</p>}
      <Actions edge={edge} change={change} />
      <Section title={t("network.ports")}>
        <Ports edge={edge} />
      </Section>
      <EdgeFlows edge={edge} since={answer.since} until={answer.until} />
      <Section title={t("alerts.facts")}>
        <Known edge={edge} />
      </Section>
      <EndAlerts ends={[client, server]} />
    </>
  );
}

function Actions({ edge: { client, server }, change }: { edge: NetworkEdge; change: ChangeNetwork }) {
  const { t } = useTranslation();
  const [cutting, setCutting] = useState<ListedEnd>();
  const workloads = [client, server].filter(({ workload }) => workload !== null);
  const namespaces = [...new Set(workloads.map(({ workload }) => workload?.namespace ?? ""))].filter(Boolean);
  return (
    <div className={classes.buttons}>
      {namespaces.map((namespace) => (
        <Button key={namespace} variant="default" onClick={() => change({ ...noDetail, policies: "new", namespace })}>
          {t("network.learnIn", { name: namespace })}
        </Button>
      ))}
      {workloads.map((end) => (
        <Button key={end.key} variant="default" onClick={() => setCutting(end)}>
          {t("network.cutOf", { name: endName(end) })}
        </Button>
      ))}
      {cutting && <Quarantine end={cutting} close={() => setCutting(undefined)} />}
    </div>
  );
}

function Ports({ edge: { ports, morePorts } }: { edge: NetworkEdge }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      <table className={classes.ports}>
        <thead>
          <tr>
            <th scope="col">{t("network.port")}</th>
            <th scope="col">{t("network.verdict")}</th>
            <th scope="col" data-end>
              {t("network.connections")}
            </th>
          </tr>
        </thead>
        <tbody>
          {ports.map((port) => (
            <tr key={portText(port)}>
              <td>
                <code>{portText(port)}</code> {port.isNew && <NewTag />}
              </td>
              <td>
                <span className={classes.mark}>
                  <VerdictLine
                    value={port.verdict === null ? "unjudged" : port.verdict.allowed ? "allowed" : "denied"}
                  />
                  <span className="dim">
                    <Raw text={port.verdict?.reason ?? t("network.verdicts.unjudged")} mono={false} limit={160} />
                  </span>
                </span>
              </td>
              <td data-end className="num">
                {format.number(port.connections)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {morePorts > 0 && <p className="dim">{t("network.morePorts", { count: morePorts })}</p>}
    </>
  );
}

function Known({ edge }: { edge: NetworkEdge }) {
  const { t } = useTranslation();
  const format = useFormat();
  const results = Object.entries(edge.results)
    .filter(([, count]) => count > 0)
    .map(([result, count]) => `${format.number(count)} ${t(`network.results.${result as keyof typeof edge.results}`)}`);
  return (
    <Facts
      items={[
        [
          t("network.connections"),
          <span key="c" className="num">
            {format.number(edge.connections)}
          </span>,
        ],
        [t("network.ended"), results.join(", ")],
        [
          t("network.sent"),
          <span key="o" className="num">
            {format.bytes(edge.bytesOut)}
          </span>,
        ],
        [
          t("network.received"),
          <span key="i" className="num">
            {format.bytes(edge.bytesIn)}
          </span>,
        ],
        [
          t("network.inTls"),
          t("network.inTlsOf", { encrypted: format.number(edge.encrypted), all: format.number(edge.connections) }) +
            (edge.tls.length > 0 ? ` (${edge.tls.join(", ")})` : ""),
        ],
        [t("network.inClear"), edge.clear.join(", ")],
        [t("network.password"), edge.credential && t("network.passwordSeen")],
        [t("network.processes"), edge.processes.length > 0 && <Raw key="p" text={edge.processes.join(", ")} />],
        [
          t("network.deniedBy"),
          edge.deniedBy.length > 0 && <Raw key="d" text={edge.deniedBy.join(", ")} mono={false} />,
        ],
        [t("network.firstEver"), <Exact key="f" time={edge.firstSeen} />],
        [t("network.last"), <Ago key="l" time={edge.last} />],
      ]}
    />
  );
}
