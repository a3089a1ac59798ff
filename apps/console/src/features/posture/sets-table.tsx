import type { BenchmarkSetRow } from "@bulwark/contract";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Card, CardLine } from "../../ui/card.tsx";
import { Command } from "../../ui/copy.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { ShieldIcon } from "../../ui/icons.tsx";
import { Empty } from "../../ui/states.tsx";
import { Count, Rate } from "./parts.tsx";
import type { ChangePosture } from "./posture-page.tsx";
import { benchmarksQuery } from "./posture-query.ts";
import classes from "./posture.module.css";

const idOf = ({ id }: BenchmarkSetRow): string => id;

/** Benchmarks that are about something here. */
export function SetsTable({ change }: { change: ChangePosture }) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery(benchmarksQuery);
  const rows = useMemo(() => (data?.sets ?? []).filter(({ subjects }) => subjects > 0), [data]);
  return (
    <DataTable
      label={t("posture.views.sets")}
      columns={useColumns()}
      renderCard={(set) => <SetCard set={set} />}
      rows={rows}
      idOf={idOf}
      nameOf={({ title }) => title}
      onSelect={({ id }) => change({ set: id }, "all")}
      loading={isPending}
      error={error}
      retry={() => void refetch()}
      empty={
        <Empty icon={<ShieldIcon size={20} />} title={t("posture.none")} text={t("posture.noneText")}>
          <Command text="bulwark check host" />
        </Empty>
      }
    />
  );
}

function useColumns(): Column<BenchmarkSetRow>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "title",
        header: t("posture.benchmark"),
        width: "minmax(0, 1fr)",
        cell: ({ title, version }) => (
          <span className="cut">
            <span className={classes.name}>{title}</span> <span className="dim">{version}</span>
          </span>
        ),
      },
      { id: "rate", header: t("posture.rate"), width: "180px", cell: ({ passRate }) => <Rate rate={passRate} /> },
      {
        id: "fail",
        header: t("checkState.fail"),
        width: "84px",
        align: "end",
        cell: ({ counts }) => <Count value={counts.fail} bad />,
      },
      {
        id: "unknown",
        header: t("checkState.unknown"),
        width: "92px",
        align: "end",
        from: 640,
        cell: ({ counts }) => <Count value={counts.unknown} />,
      },
      {
        id: "excepted",
        header: t("posture.excepted"),
        width: "92px",
        align: "end",
        from: 820,
        cell: ({ counts }) => <Count value={counts.excepted} />,
      },
      {
        id: "subjects",
        header: t("posture.assets"),
        width: "84px",
        align: "end",
        from: 700,
        cell: ({ subjects }) => <Count value={subjects} />,
      },
    ],
    [t],
  );
}

function SetCard({ set }: { set: BenchmarkSetRow }) {
  const { t } = useTranslation();
  return (
    <Card>
      <span className={`cut ${classes.name}`}>{set.title}</span>
      <CardLine
        end={
          <>
            <Count value={set.counts.fail} bad /> {t("checkState.fail")}
          </>
        }
      >
        <Rate rate={set.passRate} />
      </CardLine>
    </Card>
  );
}
