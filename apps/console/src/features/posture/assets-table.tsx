import type { BenchmarkSubjectRow } from "@bulwark/contract";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { ShieldIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { Count, Rate } from "./parts.tsx";
import type { ChangePosture } from "./posture-page.tsx";
import { benchmarksQuery } from "./posture-query.ts";
import classes from "./posture.module.css";

const idOf = ({ subject }: BenchmarkSubjectRow): string => `${subject.kind}/${subject.name}`;
const none: BenchmarkSubjectRow[] = [];

/** Hosts and clusters, and how much of what was asked of each holds. */
export function AssetsTable({ change }: { change: ChangePosture }) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery(benchmarksQuery);
  return (
    <DataTable
      label={t("posture.views.assets")}
      columns={useColumns()}
      renderCard={(row) => <AssetCard row={row} />}
      rows={data?.subjects ?? none}
      idOf={idOf}
      nameOf={({ subject }) => subject.name}
      onSelect={(row) => change({ asset: idOf(row), failing: true }, "all")}
      loading={isPending}
      error={error}
      retry={() => void refetch()}
      empty={<Empty icon={<ShieldIcon size={20} />} title={t("posture.none")} text={t("posture.noneText")} />}
    />
  );
}

function useColumns(): Column<BenchmarkSubjectRow>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "name",
        header: t("field.name"),
        width: "minmax(0, 1fr)",
        cell: ({ subject }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={subject.name} />
          </span>
        ),
      },
      { id: "kind", header: t("posture.kind"), width: "96px", cell: ({ subject }) => t(`posture.of.${subject.kind}`) },
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
        from: 700,
        cell: ({ counts }) => <Count value={counts.unknown} />,
      },
      {
        id: "collected",
        header: t("posture.looked"),
        width: "120px",
        align: "end",
        from: 760,
        cell: ({ collectedAt }) => (
          <span className="dim">
            <Ago time={collectedAt} />
          </span>
        ),
      },
    ],
    [t],
  );
}

function AssetCard({ row }: { row: BenchmarkSubjectRow }) {
  const { t } = useTranslation();
  return (
    <Card>
      <CardLine end={<span className="dim">{t(`posture.of.${row.subject.kind}`)}</span>}>
        <span className={`cut ${classes.name}`}>
          <Line text={row.subject.name} />
        </span>
      </CardLine>
      <CardLine
        end={
          <>
            <Count value={row.counts.fail} bad /> {t("checkState.fail")}
          </>
        }
      >
        <Rate rate={row.passRate} />
      </CardLine>
    </Card>
  );
}
