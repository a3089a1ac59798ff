import type { AuditEvent } from "@bulwark/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { ClusterIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import classes from "./clusters.module.css";

const idOf = ({ id }: AuditEvent): string => id;

/** Who asked the API server for what, latest first. */
export function AuditTable({ cluster, q }: { cluster: string; q: string | undefined }) {
  const { t } = useTranslation();
  const list = useLiveList<AuditEvent>({
    queryKey: ["audit-log", cluster, q],
    async fetchPage(cursor) {
      const { items, next } = await api.listEvents({ query: { kind: "audit", q, cursor, limit: 100 } });
      const own = items.filter((event) => event.kind === "audit").filter(({ audit }) => audit.cluster === cluster);
      return { items: own, next };
    },
    idOf,
  });
  return (
    <DataTable
      label={t("cluster.views.audit")}
      columns={useColumns()}
      renderCard={(event) => <AuditCard event={event} />}
      cardsBelow={640}
      {...list}
      idOf={idOf}
      nameOf={({ audit }) => `${audit.verb} ${objectOf(audit)}, ${audit.user}, ${audit.status}`}
      empty={<Empty icon={<ClusterIcon size={20} />} title={t("cluster.noAudit")} text={t("cluster.noAuditText")} />}
    />
  );
}

function objectOf({ object, uri }: AuditEvent["audit"]): string {
  if (!object) return uri;
  const { namespace, resource, subresource, name } = object;
  return [namespace, subresource === "" ? resource : `${resource}/${subresource}`, name]
    .filter((word) => word !== "")
    .join(" · ");
}

function useColumns(): Column<AuditEvent>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      { id: "verb", header: t("cluster.verb"), width: "80px", cell: ({ audit }) => <Line text={audit.verb} /> },
      {
        id: "object",
        header: t("cluster.object"),
        width: "minmax(0, 2fr)",
        cell: ({ audit }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={objectOf(audit)} />
          </span>
        ),
      },
      {
        id: "user",
        header: t("cluster.user"),
        width: "minmax(0, 1.4fr)",
        cell: ({ audit }) => (
          <Line text={audit.impersonated === "" ? audit.user : `${audit.user} → ${audit.impersonated}`} />
        ),
      },
      {
        id: "from",
        header: t("cluster.from"),
        width: "minmax(0, 0.8fr)",
        from: 860,
        cell: ({ audit }) => <Line text={audit.sourceIps.join(", ")} />,
      },
      {
        id: "status",
        header: t("field.state"),
        width: "110px",
        cell: ({ audit }) => (
          <span className={classes.state}>
            <span className={classes.dot} data-well={String(audit.status < 400)} />
            <span className="num">{audit.status === 0 ? "–" : audit.status}</span>
            <Line text={audit.decision} />
          </span>
        ),
      },
      {
        id: "time",
        header: t("field.time"),
        width: "96px",
        align: "end",
        cell: ({ time }) => (
          <span className="dim">
            <Ago time={time} />
          </span>
        ),
      },
    ],
    [t],
  );
}

function AuditCard({ event: { audit, time } }: { event: AuditEvent }) {
  return (
    <Card>
      <CardLine end={<span className="num">{audit.status}</span>}>
        <span className={`cut ${classes.name}`}>
          <Line text={`${audit.verb} ${objectOf(audit)}`} />
        </span>
      </CardLine>
      <CardLine dim end={<Ago time={time} />}>
        <Line text={audit.user} />
      </CardLine>
    </Card>
  );
}
