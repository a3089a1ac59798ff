import type { KubeRow, NodeCoverage } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { useRefreshed } from "../../api/use-refreshed.ts";
import { compact } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterFlag, FilterGiven, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { ClusterIcon } from "../../ui/icons.tsx";
import { Page, Tag } from "../../ui/page.tsx";
import { Path } from "../../ui/path.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityBar } from "../../ui/severity.tsx";
import { Empty } from "../../ui/states.tsx";
import { tab, Tabs } from "../../ui/tabs.tsx";
import { Ago } from "../../ui/time.tsx";
import { AuditTable } from "./audit-table.tsx";
import classes from "./clusters.module.css";
import { ObjectDetail } from "./object-detail.tsx";
import { ObjectStatus, workloadOf } from "./parts.tsx";
import { clusterViews, type ClusterSearch, type ClusterView } from "./search.ts";

const topics = ["cluster", "alert"] as const;
const idOf = ({ uid }: KubeRow): string => uid;
/** What a view shows of a cluster. */
const kinds: Partial<Record<ClusterView, string>> = { pods: "Pod", namespaces: "Namespace", nodes: "Node" };
const otherKinds = [
  "Service",
  "Ingress",
  "NetworkPolicy",
  "ServiceAccount",
  "Role",
  "RoleBinding",
  "ClusterRole",
  "ClusterRoleBinding",
  "Job",
  "ReplicaSet",
  "PodDisruptionBudget",
  "ResourceQuota",
  "LimitRange",
  "ValidatingAdmissionPolicy",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
];
export type ChangeCluster = (part: ClusterSearch, what?: "some" | "all") => void;

export function ClusterPage() {
  const { cluster } = useParams({ from: "/app/clusters/$cluster" });
  const search = useSearch({ from: "/app/clusters/$cluster" });
  const change = useChangeSearch();
  const view = search.view ?? "workloads";
  const isAudit = view === "audit";
  return (
    <Page
      title={cluster}
      aside={<Views cluster={cluster} view={view} />}
      bar={
        <>
          <Note cluster={cluster} />
          <Where cluster={cluster} search={search} />
          {isAudit ? (
            <AuditFilters q={search.q} change={change} />
          ) : (
            <Filters view={view} search={search} change={change} />
          )}
        </>
      }
    >
      {isAudit ? (
        <AuditTable cluster={cluster} q={search.q} />
      ) : (
        <Objects key={view} cluster={cluster} view={view} search={search} change={change} />
      )}
      {search.id !== undefined && (
        <ObjectDetail
          key={search.id}
          cluster={cluster}
          uid={search.id}
          change={change}
          onClose={() => change({ id: undefined })}
        />
      )}
    </Page>
  );
}

function useChangeSearch(): ChangeCluster {
  const navigate = useNavigate({ from: "/clusters/$cluster" });
  return useCallback(
    (part, what = "some") =>
      void navigate({
        search: (old) => compact(what === "all" ? part : { ...old, ...part }),
        // A step inside is one that the way back undoes; a letter more in a filter is not.
        replace: what === "some",
      }),
    [navigate],
  );
}

function Views({ cluster, view }: { cluster: string; view: ClusterView }) {
  const { t } = useTranslation();
  return (
    <Tabs label={cluster}>
      {clusterViews.map((name) => (
        <Link
          key={name}
          to="/clusters/$cluster"
          params={{ cluster }}
          search={name === "workloads" ? {} : { view: name }}
          {...tab(name === view)}
        >
          {t(`cluster.views.${name}`)}
        </Link>
      ))}
    </Tabs>
  );
}

function useCluster(cluster: string) {
  return useQuery({ queryKey: ["cluster", cluster], queryFn: async () => api.getCluster({ params: { id: cluster } }) });
}

/** Why what is shown may not be what is. */
function Note({ cluster }: { cluster: string }) {
  const { t } = useTranslation();
  const { data } = useCluster(cluster);
  if (!data || data.reason === "") return null;
  return (
    <p className={classes.note} role="status">
      <strong>{t(`componentState.${data.state}`)}</strong> <Line text={data.reason} /> {data.remedy}
    </p>
  );
}

/** Clusters, this one, the namespace, what one is inside of. */
function Where({ cluster, search }: { cluster: string; search: ClusterSearch }) {
  const { t } = useTranslation();
  const { namespace, owner, node } = search;
  const { data } = useQuery({
    queryKey: ["kube-object", cluster, owner],
    queryFn: async () => api.getKubeObject({ params: { cluster, uid: owner ?? "" } }),
    enabled: owner !== undefined,
  });
  const steps = [
    <Link key="all" to="/clusters">
      {t("nav.clusters")}
    </Link>,
    <Link key="cluster" to="/clusters/$cluster" params={{ cluster }} search={{ view: "namespaces" }}>
      <Line text={cluster} />
    </Link>,
    ...[namespace ?? (data?.namespace || undefined)].flatMap((name) =>
      name === undefined
        ? []
        : [
            <Link key="namespace" to="/clusters/$cluster" params={{ cluster }} search={{ namespace: name }}>
              <Line text={name} />
            </Link>,
          ],
    ),
    ...(node === undefined ? [] : [<Line key="node" text={node} />]),
    ...(data ? [<Line key="owner" text={`${data.kind}/${data.name}`} />] : []),
  ];
  return <Path steps={steps} />;
}

function Filters({ view, search, change }: { view: ClusterView; search: ClusterSearch; change: ChangeCluster }) {
  const { t } = useTranslation();
  const { id, view: _, ...filter } = search;
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <FilterBar onClear={isFiltered ? () => change({ id, view }, "all") : undefined}>
      <FilterText label={t("cluster.byLabel")} value={filter.labels} onChange={(labels) => change({ labels })} />
      <FilterText label={t("cluster.search")} value={filter.q} onChange={(q) => change({ q })} />
      {view === "objects" && (
        <FilterOne
          label={t("cluster.kind")}
          any={t("filter.any")}
          value={filter.kind}
          options={otherKinds.map((value) => ({ value, label: value }))}
          onChange={(kind) => change({ kind })}
        />
      )}
      <FilterFlag
        label={t("cluster.unhealthy")}
        value={filter.unhealthy ?? false}
        onChange={(on) => change({ unhealthy: on || undefined })}
      />
      <FilterFlag
        label={t("cluster.gone")}
        value={filter.gone ?? false}
        onChange={(on) => change({ gone: on || undefined })}
      />
      {filter.namespace !== undefined && (
        <FilterGiven
          label={t("cluster.namespace")}
          text={filter.namespace}
          onRemove={() => change({ namespace: undefined })}
        />
      )}
      {filter.node !== undefined && (
        <FilterGiven label={t("field.node")} text={filter.node} onRemove={() => change({ node: undefined })} />
      )}
    </FilterBar>
  );
}

function AuditFilters({ q, change }: { q: string | undefined; change: ChangeCluster }) {
  const { t } = useTranslation();
  return (
    <FilterBar onClear={q === undefined ? undefined : () => change({ q: undefined })}>
      <FilterText label={t("cluster.searchAudit")} value={q} onChange={(next) => change({ q: next })} />
    </FilterBar>
  );
}

interface ObjectsProps {
  cluster: string;
  view: ClusterView;
  search: ClusterSearch;
  change: ChangeCluster;
}

function Objects({ cluster, view, search, change }: ObjectsProps) {
  const { t } = useTranslation();
  const { id, namespace, owner, node, labels, q, unhealthy, gone, kind } = search;
  const query = compact({
    cluster,
    namespace,
    node,
    q,
    selector: labels,
    kind: kinds[view] ?? (view === "objects" ? kind : undefined),
    owner: owner === undefined ? undefined : `${cluster}/${owner}`,
    workloads: view === "workloads" && owner === undefined ? "true" : undefined,
    healthy: unhealthy && "false",
    deleted: gone && "true",
  });
  const list = useLiveList<KubeRow>({
    queryKey: ["kube-objects", query],
    fetchPage: async (cursor) => api.listKubeObjects({ query: { ...query, cursor, limit: 100 } }),
    idOf,
  });
  const { changed, refresh } = useRefreshed(list, topics);
  const inside = (row: KubeRow): void => enter(row, change);
  const isFiltered = [namespace, owner, node, labels, q, unhealthy, gone, kind].some((value) => value !== undefined);
  return (
    <DataTable
      label={t(`cluster.views.${view}`)}
      columns={useColumns(cluster, view, namespace !== undefined)}
      renderCard={(object) => <ObjectCard object={object} />}
      cardsBelow={620}
      {...list}
      idOf={idOf}
      nameOf={({ kind: own, name, status }) => [own, name, status].filter((word) => word !== "").join(", ")}
      selected={id}
      onSelect={(object) => change({ id: object.uid })}
      keys={{ o: inside }}
      pill={changed ? { text: t("table.changed"), onPress: refresh } : undefined}
      empty={
        <Empty icon={<ClusterIcon size={20} />} title={t("cluster.nothing")}>
          {isFiltered && (
            <Button variant="default" onClick={() => change({ view }, "all")}>
              {t("filter.clear")}
            </Button>
          )}
        </Empty>
      }
    />
  );
}

/** One step inside: what an object holds or controls. A pod holds containers, which its detail shows. */
function enter(object: KubeRow, change: ChangeCluster): void {
  switch (object.kind) {
    case "Namespace":
      return change({ namespace: object.name }, "all");
    case "Node":
      return change({ view: "pods", node: object.name }, "all");
    case "Pod":
      return change({ id: object.uid });
    default:
      return change({ view: "pods", owner: object.uid }, "all");
  }
}

function useColumns(cluster: string, view: ClusterView, inNamespace: boolean): Column<KubeRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const coverage = useCluster(cluster).data?.coverage;
  return useMemo(() => {
    const byNode = new Map(coverage?.map((item) => [item.node, item]));
    const columns: (Column<KubeRow> | false)[] = [
      view !== "pods" &&
        view !== "nodes" &&
        view !== "namespaces" && {
          id: "kind",
          header: t("cluster.kind"),
          width: "130px",
          cell: ({ kind }) => <Line text={kind} />,
        },
      {
        id: "name",
        header: t("field.name"),
        width: "minmax(0, 1.6fr)",
        cell: ({ name }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={name} />
          </span>
        ),
      },
      {
        id: "status",
        header: t("field.state"),
        width: "minmax(100px, 0.8fr)",
        cell: (object) => <ObjectStatus object={object} />,
      },
      view !== "nodes" &&
        view !== "namespaces" &&
        !inNamespace && {
          id: "namespace",
          header: t("cluster.namespace"),
          width: "minmax(0, 0.8fr)",
          from: 760,
          cell: ({ namespace }) => (namespace === "" ? <span className="dim">–</span> : <Line text={namespace} />),
        },
      view === "pods" && {
        id: "workload",
        header: t("cluster.workload"),
        width: "minmax(0, 1.2fr)",
        from: 900,
        cell: (object) => <Line text={workloadOf(object)} />,
      },
      view === "pods" && {
        id: "node",
        header: t("field.node"),
        width: "110px",
        from: 1000,
        cell: ({ node }) => <Line text={node ?? ""} />,
      },
      view === "nodes" && {
        id: "coverage",
        header: t("cluster.agent"),
        width: "minmax(0, 1fr)",
        cell: ({ name }) => <Coverage of={byNode.get(name)} />,
      },
      view !== "pods" &&
        view !== "objects" && {
          id: "pods",
          header: t("cluster.views.pods"),
          width: "64px",
          align: "end",
          cell: ({ known }) => <span className="num">{format.number(known.pods)}</span>,
        },
      view !== "objects" && {
        id: "alerts",
        header: t("nav.alerts"),
        width: "minmax(150px, 0.6fr)",
        from: 700,
        cell: ({ known }) => <SeverityBar counts={known.alerts} />,
      },
      view !== "objects" && {
        id: "findings",
        header: t("nav.findings"),
        width: "minmax(190px, 0.8fr)",
        from: 840,
        cell: ({ known }) => <SeverityBar counts={known.findings} />,
      },
      {
        id: "created",
        header: t("cluster.created"),
        width: "96px",
        align: "end",
        from: 640,
        cell: ({ createdAt }) => <span className="dim">{createdAt > 0 && <Ago time={createdAt} />}</span>,
      },
    ];
    return columns.filter((column) => column !== false);
  }, [t, format, view, inNamespace, coverage]);
}

function Coverage({ of }: { of: NodeCoverage | undefined }) {
  const { t } = useTranslation();
  if (!of) return <span className="dim">–</span>;
  return (
    <span className={classes.state}>
      <Tag tone={of.state === "covered" ? "good" : of.state === "version" ? "warn" : "bad"}>
        {t(`cluster.coverage.${of.state}`)}
      </Tag>
      <Line text={of.detail} />
    </span>
  );
}

function ObjectCard({ object }: { object: KubeRow }) {
  return (
    <Card>
      <CardLine end={<ObjectStatus object={object} />}>
        <span className={`cut ${classes.name}`}>
          <Line text={object.name} />
        </span>
      </CardLine>
      <CardLine dim end={<SeverityBar counts={object.known.alerts} />}>
        <Line text={[object.kind, object.namespace].filter((word) => word !== "").join(" · ")} />
      </CardLine>
    </Card>
  );
}
