import type { BenchmarkCheckRow } from "@bulwark/contract";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterFlag, FilterOne, FilterText } from "../../ui/filters.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Empty, useProblem } from "../../ui/states.tsx";
import { Matrix } from "./matrix.tsx";
import { CheckStateTag, Count, worstOf } from "./parts.tsx";
import type { ChangePosture } from "./posture-page.tsx";
import classes from "./posture.module.css";
import { save } from "./save.ts";
import { answerers, type PostureSearch } from "./search.ts";

interface Props {
  set: string;
  search: PostureSearch;
  change: ChangePosture;
}

const idOf = ({ check }: BenchmarkCheckRow): string => check;
const none: BenchmarkCheckRow[] = [];

/** The checks of a benchmark, or who answers for them. */
export function ChecksTable({ set, search, change }: Props) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ["benchmark", set],
    queryFn: async () => api.listBenchmarkChecks({ params: { id: set } }),
  });
  const { q, failing, answers } = search;
  const all = data?.items ?? none;
  const columns = useColumns();
  const rows = useMemo(() => {
    const words = q?.toLowerCase() ?? "";
    return all.filter(
      (row) =>
        (failing === undefined || row.counts.fail > 0) &&
        (answers === undefined || row.answers === answers) &&
        `${row.number} ${row.title} ${row.check} ${row.topic}`.toLowerCase().includes(words),
    );
  }, [all, q, failing, answers]);
  return (
    <>
      <Filters set={set} search={search} change={change} />
      {search.matrix === true ? (
        <Matrix rows={rows} />
      ) : (
        <DataTable
          label={t("posture.checks")}
          columns={columns}
          renderCard={(row) => <CheckCard row={row} />}
          rows={rows}
          idOf={idOf}
          nameOf={({ number, title }) => `${number} ${title}`}
          selected={search.id}
          onSelect={({ check }) => change({ id: check })}
          loading={isPending}
          error={error}
          retry={() => void refetch()}
          empty={<Empty icon={<CheckIcon size={20} />} title={t("posture.noChecks")} />}
        />
      )}
    </>
  );
}

function Filters({ set, search, change }: Props) {
  const { t } = useTranslation();
  const { q, failing, answers, matrix } = search;
  const isFiltered = q !== undefined || failing !== undefined || answers !== undefined;
  return (
    <FilterBar onClear={isFiltered ? () => change({ set, matrix }, "all") : undefined}>
      <FilterText label={t("posture.search")} value={q} onChange={(text) => change({ q: text })} />
      <FilterFlag
        label={t("posture.failing")}
        value={failing ?? false}
        onChange={(on) => change({ failing: on || undefined })}
      />
      <FilterOne
        label={t("posture.answers")}
        any={t("filter.any")}
        value={answers}
        options={answerers.map((value) => ({ value, label: t(`posture.answerer.${value}`) }))}
        onChange={(value) => change({ answers: value })}
      />
      <FilterFlag
        label={t("posture.matrix")}
        value={matrix ?? false}
        onChange={(on) => change({ matrix: on || undefined })}
      />
      <Exports set={set} />
    </FilterBar>
  );
}

function Exports({ set }: { set: string }) {
  const { t } = useTranslation();
  const get = useMutation({
    mutationFn: async (format: "csv" | "html" | "json") =>
      save(await api.exportBenchmark({ params: { id: set }, query: { format } })),
  });
  const { title } = useProblem(get.error);
  return (
    <span className={classes.exports} role="group" aria-label={t("posture.export")}>
      {(["csv", "html", "json"] as const).map((format) => (
        <Button
          key={format}
          size="compact-sm"
          variant="default"
          loading={get.isPending && get.variables === format}
          onClick={() => get.mutate(format)}
        >
          {format.toUpperCase()}
        </Button>
      ))}
      {get.isError && <span role="alert">{title}</span>}
    </span>
  );
}

function useColumns(): Column<BenchmarkCheckRow>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "number",
        header: t("posture.number"),
        width: "92px",
        cell: ({ number }) => <span className="num">{number}</span>,
      },
      {
        id: "state",
        header: t("field.state"),
        width: "132px",
        cell: ({ counts }) => <CheckStateTag {...worstOf(counts)} />,
      },
      {
        id: "title",
        header: t("posture.check"),
        width: "minmax(0, 1fr)",
        cell: ({ title }) => <span className="cut">{title}</span>,
      },
      {
        id: "severity",
        header: t("field.severity"),
        width: "104px",
        from: 640,
        cell: ({ severity }) => <SeverityMark value={severity} />,
      },
      {
        id: "answers",
        header: t("posture.answers"),
        width: "110px",
        from: 860,
        cell: ({ answers }) => t(`posture.answerer.${answers}`),
      },
      {
        id: "fail",
        header: t("checkState.fail"),
        width: "84px",
        align: "end",
        from: 760,
        cell: ({ counts }) => <Count value={counts.fail} bad />,
      },
      {
        id: "pass",
        header: t("checkState.pass"),
        width: "76px",
        align: "end",
        from: 760,
        cell: ({ counts }) => <Count value={counts.pass} />,
      },
    ],
    [t],
  );
}

function CheckCard({ row }: { row: BenchmarkCheckRow }) {
  return (
    <Card>
      <CardLine end={<SeverityMark value={row.severity} />}>
        <CheckStateTag {...worstOf(row.counts)} />
        <span className="num dim">{row.number}</span>
      </CardLine>
      <span className="cut">{row.title}</span>
    </Card>
  );
}
