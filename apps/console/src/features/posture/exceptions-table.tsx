import type { BenchmarkException } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Card } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import type { ChangePosture } from "./posture-page.tsx";
import { benchmarksQuery } from "./posture-query.ts";
import classes from "./posture.module.css";

const idOf = ({ id }: BenchmarkException): string => id;
const none: BenchmarkException[] = [];

/** What somebody decided to leave as it is, and until when. */
export function ExceptionsTable({ change }: { change: ChangePosture }) {
  const { t } = useTranslation();
  const { data, isPending, error, refetch } = useQuery(benchmarksQuery);
  return (
    <DataTable
      label={t("posture.views.exceptions")}
      columns={useColumns()}
      renderCard={({ check, reason }) => (
        <Card>
          <span className={`cut ${classes.name}`}>{check}</span>
          <span className="cut dim">
            <Line text={reason} />
          </span>
        </Card>
      )}
      rows={data?.exceptions ?? none}
      idOf={idOf}
      nameOf={({ check, reason }) => `${check}: ${reason}`}
      onSelect={({ check }) => change({ view: "exceptions", id: check })}
      loading={isPending}
      error={error}
      retry={() => void refetch()}
      empty={<Empty icon={<CheckIcon size={20} />} title={t("posture.noExceptions")} />}
    />
  );
}

function useColumns(): Column<BenchmarkException>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "check",
        header: t("posture.check"),
        width: "minmax(0, 1fr)",
        cell: ({ check }) => <code className="cut">{check}</code>,
      },
      {
        id: "subject",
        header: t("posture.scope"),
        width: "minmax(0, 0.8fr)",
        from: 640,
        cell: ({ subject }) => (subject === null ? t("posture.everywhere") : <Line text={subject.name} />),
      },
      {
        id: "reason",
        header: t("posture.reason"),
        width: "minmax(0, 1.2fr)",
        cell: ({ reason }) => <Line text={reason} />,
      },
      {
        id: "owner",
        header: t("posture.owner"),
        width: "110px",
        from: 820,
        cell: ({ owner }) => <Line text={owner} />,
      },
      {
        id: "until",
        header: t("posture.until"),
        width: "150px",
        from: 700,
        cell: ({ expiresAt }) => <Exact time={expiresAt} />,
      },
    ],
    [t],
  );
}
