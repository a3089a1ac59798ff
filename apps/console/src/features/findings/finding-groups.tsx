import type { FindingGroup } from "@bulwark/model";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { useRefreshed } from "../../api/use-refreshed.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { useFormat } from "../../ui/format.ts";
import { Line } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Ago } from "../../ui/time.tsx";
import { ExploitedTag } from "./finding-parts.tsx";
import classes from "./findings.module.css";
import { queryOf, type FindingFilter } from "./search.ts";

const topics = ["finding"] as const;
const idOf = ({ kind, name }: FindingGroup): string => `${kind} ${name}`;

interface Props {
  by: "subject" | "package";
  filter: FindingFilter;
  empty: ReactNode;
}

/** Findings of all images by what they are, or by package: one row tells in how many images it is, and how many of them run. */
export function FindingGroups({ by, filter, empty }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/findings" });
  const list = useLiveList<FindingGroup>({
    queryKey: ["finding-groups", by, filter],
    fetchPage: async (cursor) => api.listFindingGroups({ query: { by, ...queryOf(filter), cursor, limit: 100 } }),
    idOf,
  });
  const { changed, refresh } = useRefreshed(list, topics);
  return (
    <DataTable
      label={t(by === "package" ? "findings.views.packages" : "findings.views.weaknesses")}
      columns={useColumns(by)}
      renderCard={(group) => <GroupCard group={group} />}
      {...list}
      idOf={idOf}
      nameOf={({ severity, name }) => `${t(`severity.${severity}`)}: ${name}`}
      onSelect={({ kind, name }) => void navigate({ search: { ...filter, kind, [by]: name } })}
      pill={changed ? { text: t("table.changed"), onPress: refresh } : undefined}
      empty={empty}
    />
  );
}

function useColumns(by: Props["by"]): Column<FindingGroup>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(() => {
    const count = (id: "findings" | "fixable" | "images" | "runningImages", from: number): Column<FindingGroup> => ({
      id,
      header: t(`findings.group.${id}`),
      width: "104px",
      align: "end",
      from,
      cell: (group) => <span className={group[id] === 0 ? "num dim" : "num"}>{format.number(group[id])}</span>,
    });
    return [
      {
        id: "severity",
        header: t("field.severity"),
        width: "104px",
        cell: ({ severity }) => <SeverityMark value={severity} />,
      },
      {
        id: "name",
        header: t(by === "package" ? "field.package" : "field.weakness"),
        width: "minmax(180px, 2fr)",
        cell: ({ name, exploited }) => (
          <>
            <span className={`cut ${classes.id}`}>
              <Line text={name} />
            </span>
            {exploited && <ExploitedTag />}
          </>
        ),
      },
      {
        id: "kind",
        header: t("field.kind"),
        width: "minmax(0, 1fr)",
        from: 900,
        cell: ({ kind }) => <span className="dim">{t(`findingKind.${kind}`)}</span>,
      },
      count("images", 560),
      count("runningImages", 560),
      count("findings", 700),
      count("fixable", 760),
      {
        id: "first",
        header: t("finding.firstSeen"),
        width: "110px",
        align: "end",
        from: 980,
        cell: ({ firstSeen }) => (
          <span className="dim">
            <Ago time={firstSeen} />
          </span>
        ),
      },
    ];
  }, [t, format, by]);
}

function GroupCard({ group }: { group: FindingGroup }) {
  const { t } = useTranslation();
  return (
    <Card>
      <CardLine>
        <SeverityMark value={group.severity} />
        <span className={`cut ${classes.id}`}>
          <Line text={group.name} />
        </span>
        {group.exploited && <ExploitedTag />}
      </CardLine>
      <CardLine dim>{t("findings.group.card", { images: group.images, running: group.runningImages })}</CardLine>
    </Card>
  );
}
