import type { AdmissionDecision } from "@bulwark/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterOne, FilterText } from "../../ui/filters.tsx";
import { GateIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { timeColumn } from "../../ui/time-column.tsx";
import { OutcomeTag, placeOf } from "./parts.tsx";
import type { ChangePolicies } from "./policies-page.tsx";
import classes from "./policies.module.css";
import { outcomes, type PolicySearch } from "./search.ts";

const idOf = ({ id }: AdmissionDecision): string => id;

interface Props {
  search: PolicySearch;
  change: ChangePolicies;
}

/** What policies decided when API servers asked, latest first. */
export function DecisionsTable({ search, change }: Props) {
  const { t } = useTranslation();
  const { q, outcome } = search;
  const list = useLiveList<AdmissionDecision>({
    queryKey: ["admission-decisions", q, outcome],
    fetchPage: async (cursor) => api.listAdmissionDecisions({ query: { q, outcome, cursor, limit: 100 } }),
    idOf,
  });
  const isFiltered = q !== undefined || outcome !== undefined;
  return (
    <>
      <FilterBar onClear={isFiltered ? () => change({ q: undefined, outcome: undefined }) : undefined}>
        <FilterText label={t("policy.searchDecisions")} value={q} onChange={(text) => change({ q: text })} />
        <FilterOne
          label={t("policy.outcome")}
          any={t("filter.any")}
          value={outcome}
          options={outcomes.map((value) => ({ value, label: t(`policy.outcomes.${value}`) }))}
          onChange={(value) => change({ outcome: value })}
        />
      </FilterBar>
      <DataTable
        label={t("policy.views.decisions")}
        columns={useColumns()}
        renderCard={(row) => <DecisionCard row={row} />}
        {...list}
        idOf={idOf}
        nameOf={(row) => `${t(`policy.outcomes.${row.outcome}`)}: ${placeOf(row)}, ${row.policy}`}
        onSelect={({ policy }) => policy !== "" && change({ id: policy })}
        empty={
          <Empty icon={<GateIcon size={20} />} title={t("policy.noDecisions")} text={t("policy.noDecisionsText")} />
        }
      />
    </>
  );
}

function useColumns(): Column<AdmissionDecision>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "outcome",
        header: t("policy.outcome"),
        width: "120px",
        cell: ({ outcome }) => <OutcomeTag value={outcome} />,
      },
      {
        id: "object",
        header: t("cluster.object"),
        width: "minmax(0, 1.2fr)",
        cell: (row) => (
          <span className="cut">
            <span className={classes.name}>
              <Line text={placeOf(row)} />
            </span>{" "}
            <span className="dim">{row.kind}</span>
          </span>
        ),
      },
      {
        id: "policy",
        header: t("policy.policy"),
        width: "minmax(0, 1fr)",
        cell: ({ policy }) => (policy === "" ? <span className="dim">–</span> : <Line text={policy} />),
      },
      {
        id: "user",
        header: t("cluster.user"),
        width: "minmax(0, 1fr)",
        from: 860,
        cell: ({ user }) => <Line text={user} />,
      },
      {
        id: "reason",
        header: t("policy.reason"),
        width: "minmax(0, 1.8fr)",
        from: 760,
        cell: ({ reason }) => (
          <span className="dim cut">
            <Line text={reason} />
          </span>
        ),
      },
      timeColumn(t("field.time"), ({ time }: AdmissionDecision) => time),
    ],
    [t],
  );
}

function DecisionCard({ row }: { row: AdmissionDecision }) {
  return (
    <Card>
      <CardLine end={<OutcomeTag value={row.outcome} />}>
        <span className={`cut ${classes.name}`}>
          <Line text={placeOf(row)} />
        </span>
      </CardLine>
      <CardLine dim end={<Ago time={row.time} />}>
        <Line text={`${row.policy}: ${row.reason}`} />
      </CardLine>
    </Card>
  );
}
