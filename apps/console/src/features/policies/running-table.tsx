import type { PolicyViolation } from "@bulwark/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterGiven, FilterOne, FilterText } from "../../ui/filters.tsx";
import { GateIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { timeColumn } from "../../ui/time-column.tsx";
import { placeOf, VerdictTag } from "./parts.tsx";
import type { ChangePolicies } from "./policies-page.tsx";
import classes from "./policies.module.css";
import { verdicts, type PolicySearch } from "./search.ts";

const idOf = (one: PolicyViolation): string => [one.policy, one.cluster, one.kind, placeOf(one)].join(" ");

interface Props {
  search: PolicySearch;
  change: ChangePolicies;
}

/** Workloads that run and that a policy, in force or not, would not simply let in. */
export function RunningTable({ search, change }: Props) {
  const { t } = useTranslation();
  const { q, verdict, cluster } = search;
  const list = useLiveList<PolicyViolation>({
    queryKey: ["policy-violations", q, verdict, cluster],
    fetchPage: async (cursor) => api.listPolicyViolations({ query: { q, verdict, cluster, cursor, limit: 100 } }),
    idOf,
  });
  const isFiltered = q !== undefined || verdict !== undefined || cluster !== undefined;
  return (
    <>
      <FilterBar
        onClear={isFiltered ? () => change({ q: undefined, verdict: undefined, cluster: undefined }) : undefined}
      >
        <FilterText label={t("policy.searchRunning")} value={q} onChange={(text) => change({ q: text })} />
        <FilterOne
          label={t("policy.verdict")}
          any={t("filter.any")}
          value={verdict}
          options={verdicts.map((value) => ({ value, label: t(`policy.verdicts.${value}`) }))}
          onChange={(value) => change({ verdict: value })}
        />
        {cluster !== undefined && (
          <FilterGiven label={t("cluster.name")} text={cluster} onRemove={() => change({ cluster: undefined })} />
        )}
      </FilterBar>
      <DataTable
        label={t("policy.views.running")}
        columns={useColumns()}
        renderCard={(row) => <ViolationCard row={row} />}
        {...list}
        idOf={idOf}
        nameOf={(row) => `${placeOf(row)}, ${row.policy}: ${row.message}`}
        onSelect={({ policy }) => change({ id: policy })}
        empty={
          <Empty icon={<GateIcon size={20} />} title={t("policy.noneRunning")} text={t("policy.noneRunningText")} />
        }
      />
    </>
  );
}

function useColumns(): Column<PolicyViolation>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "verdict",
        header: t("policy.verdict"),
        width: "120px",
        cell: ({ verdict }) => <VerdictTag value={verdict} />,
      },
      {
        id: "workload",
        header: t("cluster.workload"),
        width: "minmax(0, 1.2fr)",
        cell: (row) => (
          <span className={`cut ${classes.name}`}>
            <Line text={placeOf(row)} />
          </span>
        ),
      },
      {
        id: "kind",
        header: t("field.kind"),
        width: "110px",
        from: 900,
        cell: ({ kind }) => (
          <span className="dim cut">
            <Line text={kind} />
          </span>
        ),
      },
      {
        id: "policy",
        header: t("policy.policy"),
        width: "minmax(0, 1fr)",
        cell: ({ policy }) => <Line text={policy} />,
      },
      {
        id: "message",
        header: t("policy.reason"),
        width: "minmax(0, 1.8fr)",
        from: 760,
        cell: ({ message }) => (
          <span className="dim cut">
            <Line text={message} />
          </span>
        ),
      },
      {
        id: "cluster",
        header: t("cluster.name"),
        width: "100px",
        from: 1000,
        cell: ({ cluster }) => (
          <span className="dim cut">
            <Line text={cluster} />
          </span>
        ),
      },
      timeColumn(t("policy.since"), ({ since }: PolicyViolation) => since, { from: 640 }),
    ],
    [t],
  );
}

function ViolationCard({ row }: { row: PolicyViolation }) {
  return (
    <Card>
      <CardLine end={<VerdictTag value={row.verdict} />}>
        <span className={`cut ${classes.name}`}>
          <Line text={placeOf(row)} />
        </span>
      </CardLine>
      <CardLine dim>
        <Line text={`${row.policy}: ${row.message}`} />
      </CardLine>
    </Card>
  );
}
