import type { PolicyRow } from "@bulwark/contract";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterFlag, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { GateIcon } from "../../ui/icons.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Empty } from "../../ui/states.tsx";
import { decisionsOf, Found, ModeTag } from "./parts.tsx";
import type { ChangePolicies } from "./policies-page.tsx";
import { policiesQuery } from "./policies-query.ts";
import classes from "./policies.module.css";
import { inForce, sources, type PolicySearch } from "./search.ts";

interface Props {
  search: PolicySearch;
  change: ChangePolicies;
}

const idOf = ({ name }: PolicyRow): string => name;
const none: PolicyRow[] = [];

/** All policies: those in force first, then those that would find most. */
export function PoliciesTable({ search, change }: Props) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery(policiesQuery);
  const all = data?.items ?? none;
  const { q, mode, source, finds } = search;
  const rows = useMemo(() => {
    const words = q?.toLowerCase() ?? "";
    return all
      .filter(
        (row) =>
          (mode === undefined || (row.setting?.mode ?? "off") === mode) &&
          (source === undefined || row.source === source) &&
          (finds === undefined || foundBy(row) > 0) &&
          `${row.name} ${row.title} ${row.category} ${row.kind}`.toLowerCase().includes(words),
      )
      .toSorted(
        (a, b) =>
          Number(a.setting === null) - Number(b.setting === null) ||
          foundBy(b) - foundBy(a) ||
          a.name.localeCompare(b.name),
      );
  }, [all, q, mode, source, finds]);
  return (
    <>
      <Filters search={search} change={change} />
      <DataTable
        label={t("policy.title")}
        columns={useColumns()}
        renderCard={(row) => <PolicyCard row={row} />}
        rows={rows}
        idOf={idOf}
        nameOf={({ name, title }) => `${name}: ${title}`}
        selected={search.id}
        onSelect={({ name }) => change({ id: name })}
        loading={isPending}
        error={error}
        retry={() => void refetch()}
        empty={<Empty icon={<GateIcon size={20} />} title={t("policy.none")} />}
      />
    </>
  );
}

function foundBy({ running }: PolicyRow): number {
  return running === null ? 0 : running.denied + running.noted;
}

function Filters({ search, change }: Props) {
  const { t } = useTranslation();
  const { q, mode, source, finds } = search;
  const isFiltered = q !== undefined || mode !== undefined || source !== undefined || finds !== undefined;
  const clear = (): void => change({ q: undefined, mode: undefined, source: undefined, finds: undefined });
  return (
    <FilterBar onClear={isFiltered ? clear : undefined}>
      <FilterText label={t("policy.search")} value={q} onChange={(text) => change({ q: text })} />
      <FilterOne
        label={t("policy.mode")}
        any={t("filter.any")}
        value={mode}
        options={inForce.map((value) => ({ value, label: t(`policy.modes.${value}`) }))}
        onChange={(value) => change({ mode: value })}
      />
      <FilterOne
        label={t("policy.source")}
        any={t("filter.any")}
        value={source}
        options={sources.map((value) => ({ value, label: t(`policy.sources.${value}`) }))}
        onChange={(value) => change({ source: value })}
      />
      <FilterFlag
        label={t("policy.finds")}
        value={finds ?? false}
        onChange={(on) => change({ finds: on || undefined })}
      />
    </FilterBar>
  );
}

function useColumns(): Column<PolicyRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "mode",
        header: t("policy.mode"),
        width: "170px",
        cell: ({ setting }) => <ModeTag setting={setting} />,
      },
      {
        id: "title",
        header: t("policy.policy"),
        width: "minmax(0, 1fr)",
        cell: ({ title, name }) => (
          <span className="cut">
            <span className={classes.name}>{title}</span> <span className="dim">{name}</span>
          </span>
        ),
      },
      {
        id: "severity",
        header: t("field.severity"),
        width: "104px",
        from: 820,
        cell: ({ severity }) => <SeverityMark value={severity} />,
      },
      {
        id: "kind",
        header: t("field.kind"),
        width: "120px",
        from: 1100,
        cell: ({ kind }) => <span className="dim">{t(`policy.kinds.${kindOf(kind)}`)}</span>,
      },
      {
        id: "source",
        header: t("policy.source"),
        width: "110px",
        from: 980,
        cell: ({ source }) => <span className="dim">{t(`policy.sources.${source}`)}</span>,
      },
      {
        id: "running",
        header: t("policy.running"),
        width: "110px",
        align: "end",
        from: 620,
        cell: ({ running }) => <Found running={running} />,
      },
      {
        id: "decisions",
        header: t("policy.decisions"),
        width: "120px",
        align: "end",
        from: 700,
        cell: (row) => {
          const count = decisionsOf(row);
          return <span className={count === 0 ? "num dim" : "num"}>{format.number(count)}</span>;
        },
      },
    ],
    [t, format],
  );
}

const kinds = { ImagePolicy: "image", MutatingAdmissionPolicy: "mutating" } as const;

export function kindOf(kind: string): "image" | "mutating" | "validating" {
  return kind === "ImagePolicy" || kind === "MutatingAdmissionPolicy" ? kinds[kind] : "validating";
}

function PolicyCard({ row }: { row: PolicyRow }) {
  return (
    <Card>
      <CardLine end={<ModeTag setting={row.setting} />}>
        <span className={`cut ${classes.name}`}>{row.title}</span>
      </CardLine>
      <CardLine dim end={<Found running={row.running} />}>
        <span className="cut">{row.name}</span>
      </CardLine>
    </Card>
  );
}
