import type { CheckResult } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { severities } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterFlag, FilterText } from "../../ui/filters.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Empty } from "../../ui/states.tsx";
import { CheckStateTag } from "./parts.tsx";
import type { ChangePosture } from "./posture-page.tsx";
import { assetOf, type PostureSearch } from "./search.ts";

interface Props {
  asset: string;
  search: PostureSearch;
  change: ChangePosture;
}

type Row = CheckResult & { key: string };
const idOf = ({ key }: Row): string => key;
const none: CheckResult[] = [];
const order = ["fail", "unknown", "pass", "not-applicable"];

/** What the checks say of one host or cluster, the worst first. */
export function AssetResults({ asset, search, change }: Props) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ["benchmark-results", asset],
    queryFn: async () => api.getBenchmarkResults({ query: assetOf(asset) }),
  });
  const { q, failing } = search;
  const results = data?.results ?? none;
  const rows = useMemo(() => {
    const words = q?.toLowerCase() ?? "";
    const shown = results.filter(
      (row) =>
        (failing === undefined || row.state === "fail") &&
        `${row.title} ${row.check} ${row.reason}`.toLowerCase().includes(words),
    );
    const rank = ({ state, severity }: CheckResult): number => order.indexOf(state) * 10 + severities.indexOf(severity);
    // One check says as many things as there are that fail.
    return shown.toSorted((a, b) => rank(a) - rank(b)).map((row, index) => ({ ...row, key: `${row.check}/${index}` }));
  }, [results, q, failing]);
  const isFiltered = q !== undefined || failing !== undefined;
  return (
    <>
      <FilterBar onClear={isFiltered ? () => change({ asset }, "all") : undefined}>
        <FilterText label={t("posture.search")} value={q} onChange={(text) => change({ q: text })} />
        <FilterFlag
          label={t("posture.failing")}
          value={failing ?? false}
          onChange={(on) => change({ failing: on || undefined })}
        />
      </FilterBar>
      <DataTable
        label={t("posture.checks")}
        columns={useColumns()}
        renderCard={(row) => <ResultCard row={row} />}
        rows={rows}
        idOf={idOf}
        nameOf={({ title }) => title}
        selected={rows.find(({ check }) => check === search.id)?.key}
        onSelect={({ check }) => change({ id: check })}
        loading={isPending}
        error={error}
        retry={() => void refetch()}
        empty={<Empty icon={<CheckIcon size={20} />} title={t("posture.noChecks")} />}
      />
    </>
  );
}

function useColumns(): Column<Row>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      { id: "state", header: t("field.state"), width: "132px", cell: ({ state }) => <CheckStateTag state={state} /> },
      {
        id: "severity",
        header: t("field.severity"),
        width: "104px",
        cell: ({ severity }) => <SeverityMark value={severity} />,
      },
      {
        id: "title",
        header: t("posture.check"),
        width: "minmax(0, 1fr)",
        cell: ({ title }) => <span className="cut">{title}</span>,
      },
      {
        id: "reason",
        header: t("health.why"),
        width: "minmax(0, 1.2fr)",
        from: 760,
        cell: ({ reason }) => (
          <span className="cut dim">
            <Line text={reason} />
          </span>
        ),
      },
    ],
    [t],
  );
}

function ResultCard({ row }: { row: Row }) {
  return (
    <Card>
      <CardLine end={<SeverityMark value={row.severity} />}>
        <CheckStateTag state={row.state} />
      </CardLine>
      <span className="cut">{row.title}</span>
    </Card>
  );
}
