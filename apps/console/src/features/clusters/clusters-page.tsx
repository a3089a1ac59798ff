import type { ClusterRow } from "@bulwark/contract";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { Command } from "../../ui/copy.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { useFormat } from "../../ui/format.ts";
import { ClusterIcon } from "../../ui/icons.tsx";
import { Page, Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import classes from "./clusters.module.css";
import { JoinCluster } from "./join-cluster.tsx";

export const clustersQuery = { queryKey: ["clusters"], queryFn: async () => api.listClusters() };
const none: ClusterRow[] = [];
const idOf = ({ name }: ClusterRow): string => name;

export function ClustersPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data, isPending, error, refetch } = useQuery(clustersQuery);
  const [joining, setJoining] = useState(false);
  return (
    <Page
      title={t("nav.clusters")}
      aside={
        <Button variant="default" className={classes.end} onClick={() => setJoining(true)}>
          {t("cluster.join.title")}
        </Button>
      }
    >
      {joining && <JoinCluster close={() => setJoining(false)} />}
      <DataTable
        label={t("nav.clusters")}
        columns={useColumns()}
        renderCard={(cluster) => <ClusterCard cluster={cluster} />}
        rows={data?.items ?? none}
        idOf={idOf}
        nameOf={({ name, state }) => `${name}, ${t(`componentState.${state}`)}`}
        onSelect={({ name }) => void navigate({ to: "/clusters/$cluster", params: { cluster: name } })}
        loading={isPending}
        error={error}
        retry={() => void refetch()}
        empty={
          <Empty icon={<ClusterIcon size={20} />} title={t("cluster.none")} text={t("cluster.noneText")}>
            <Command text="server: { kubernetes: { clusters: [{ name: east, kubeconfig: /etc/bulwark/east.yaml }] } }" />
          </Empty>
        }
      />
    </Page>
  );
}

const tones = { ok: "good", degraded: "warn", failed: "bad", off: "plain" } as const;

export function ClusterStateTag({ state }: Pick<ClusterRow, "state">) {
  const { t } = useTranslation();
  return <Tag tone={tones[state]}>{t(`componentState.${state}`)}</Tag>;
}

function useColumns(): Column<ClusterRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "name",
        header: t("field.name"),
        width: "minmax(0, 1fr)",
        cell: ({ name }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={name} />
          </span>
        ),
      },
      { id: "state", header: t("field.state"), width: "110px", cell: ({ state }) => <ClusterStateTag state={state} /> },
      {
        id: "reason",
        header: t("health.why"),
        width: "minmax(0, 1.6fr)",
        from: 900,
        cell: ({ reason }) => (reason === "" ? <span className="dim">–</span> : <Line text={reason} />),
      },
      { id: "version", header: t("field.version"), width: "110px", from: 700, cell: ({ version }) => version },
      {
        id: "coverage",
        header: t("cluster.watchedNodes"),
        width: "130px",
        align: "end",
        cell: ({ nodes }) => (
          <span className="num">
            {t("cluster.ofNodes", { count: nodes.covered, total: format.number(nodes.total) })}
          </span>
        ),
      },
      {
        id: "pods",
        header: t("cluster.views.pods"),
        width: "80px",
        align: "end",
        cell: ({ objects }) => <span className="num">{format.number(objects["Pod"] ?? 0)}</span>,
      },
      {
        id: "synced",
        header: t("cluster.synced"),
        width: "110px",
        align: "end",
        from: 800,
        cell: ({ syncedAt }) => <span className="dim">{syncedAt === null ? "–" : <Ago time={syncedAt} />}</span>,
      },
    ],
    [t, format],
  );
}

function ClusterCard({ cluster }: { cluster: ClusterRow }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { name, state, version, nodes } = cluster;
  return (
    <Card>
      <CardLine end={<ClusterStateTag state={state} />}>
        <span className={`cut ${classes.name}`}>
          <Line text={name} />
        </span>
      </CardLine>
      <CardLine
        dim
        end={
          <>
            {t("cluster.watchedNodes")}{" "}
            {t("cluster.ofNodes", { count: nodes.covered, total: format.number(nodes.total) })}
          </>
        }
      >
        {version}
      </CardLine>
    </Card>
  );
}
