import type { NetworkEdge } from "@bulwark/model";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { useFormat } from "../../ui/format.ts";
import { Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { timeColumn } from "../../ui/time-column.tsx";
import { portText } from "./edge-filter.ts";
import { encryptionOf, endName, verdictOf } from "./ends.ts";
import { EncryptionMark, NewTag, VerdictLine, VerdictMark } from "./marks.tsx";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { noDetail, type NetworkSearch } from "./search.ts";
import { isDenied, type WhatIf } from "./what-if.ts";

interface Props {
  edges: NetworkEdge[];
  search: NetworkSearch;
  change: ChangeNetwork;
  whatIf: WhatIf | undefined;
}

const idOf = ({ id }: NetworkEdge): string => id;
const orders = {
  connections: (edge: NetworkEdge) => edge.connections,
  bytes: (edge: NetworkEdge) => edge.bytesOut + edge.bytesIn,
  last: (edge: NetworkEdge) => edge.last,
} as const;
type Order = keyof typeof orders;

/** All that the map shows, and what it has no room for. */
export function EdgesTable({ edges, search, change, whatIf }: Props) {
  const { t } = useTranslation();
  const [order, setOrder] = useState<{ by: Order; rising: boolean }>({ by: "connections", rising: false });
  const rows = useMemo(() => {
    const value = orders[order.by];
    const sign = order.rising ? 1 : -1;
    return edges.toSorted(
      (a, b) =>
        Number(isDenied(whatIf, b)) - Number(isDenied(whatIf, a)) ||
        sign * (value(a) - value(b)) ||
        (a.id < b.id ? -1 : 1),
    );
  }, [edges, order, whatIf]);
  return (
    <DataTable
      label={t("network.table")}
      columns={useColumns(order, (by) => setOrder({ by, rising: order.by === by && !order.rising }), whatIf)}
      renderCard={(edge) => <EdgeCard edge={edge} />}
      rows={rows}
      idOf={idOf}
      nameOf={(edge) =>
        `${endName(edge.client)} → ${endName(edge.server)}, ${portsOf(edge)}: ${t(`network.verdicts.${verdictOf(edge)}`)}`
      }
      selected={search.edge}
      onSelect={({ id }) => change({ ...noDetail, edge: id })}
      empty={null}
    />
  );
}

/** The ports of an edge on one line. */
export function portsOf({ ports, morePorts }: NetworkEdge, most = 4): string {
  const shown = ports.slice(0, most).map(portText).join(", ");
  return ports.length > most || morePorts > 0 ? `${shown}, …` : shown;
}

function useColumns(
  order: { by: Order; rising: boolean },
  onOrder: (by: Order) => void,
  whatIf: WhatIf | undefined,
): Column<NetworkEdge>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const sort = (by: Order): NonNullable<Column<NetworkEdge>["sort"]> => ({
    direction: order.by === by ? (order.rising ? "ascending" : "descending") : undefined,
    toggle: () => onOrder(by),
  });
  return [
    {
      id: "client",
      header: t("network.client"),
      width: "minmax(0, 1.3fr)",
      cell: ({ client }) => (
        <span className={`cut ${classes.strong}`}>
          <Line text={endName(client)} />
        </span>
      ),
    },
    {
      id: "server",
      header: t("network.server"),
      width: "minmax(0, 1.3fr)",
      cell: (edge) => (
        <>
          <span className={`cut ${classes.strong}`}>
            <Line text={endName(edge.server)} />
          </span>
          {edge.isNew && <NewTag />}
          {edge.alerts > 0 && <Tag tone="bad">{t("network.alerts", { count: edge.alerts })}</Tag>}
        </>
      ),
    },
    {
      id: "ports",
      header: t("network.ports"),
      width: "minmax(0, 1fr)",
      from: 720,
      cell: (edge) => (
        <span className="dim cut">
          <Line mono text={portsOf(edge)} />
        </span>
      ),
    },
    {
      id: "verdict",
      header: t("network.verdict"),
      width: "150px",
      cell: (edge) =>
        isDenied(whatIf, edge) ? (
          <span className={classes.mark}>
            <VerdictLine value="would" />
            {t("network.wouldDeny")}
          </span>
        ) : (
          <VerdictMark value={verdictOf(edge)} />
        ),
    },
    {
      id: "encryption",
      header: t("network.encryption"),
      width: "160px",
      from: 1040,
      cell: (edge) => <EncryptionMark value={encryptionOf(edge)} />,
    },
    {
      id: "connections",
      header: t("network.connections"),
      width: "108px",
      align: "end",
      sort: sort("connections"),
      cell: ({ connections }) => <span className="num">{format.number(connections)}</span>,
    },
    {
      id: "bytes",
      header: t("network.bytes"),
      width: "96px",
      align: "end",
      from: 900,
      sort: sort("bytes"),
      cell: ({ bytesOut, bytesIn }) => <span className="num dim">{format.bytes(bytesOut + bytesIn)}</span>,
    },
    { ...timeColumn<NetworkEdge>(t("network.last"), ({ last }) => last, { from: 640 }), sort: sort("last") },
  ];
}

function EdgeCard({ edge }: { edge: NetworkEdge }) {
  const format = useFormat();
  return (
    <Card>
      <CardLine end={<span className="num">{format.number(edge.connections)}</span>}>
        <span className={`cut ${classes.strong}`}>
          <Line text={`${endName(edge.client)} → ${endName(edge.server)}`} />
        </span>
      </CardLine>
      <CardLine dim end={<VerdictMark value={verdictOf(edge)} />}>
        <Line mono text={portsOf(edge)} />
      </CardLine>
    </Card>
  );
}
