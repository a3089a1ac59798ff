import type { Finding } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { useRefreshed } from "../../api/use-refreshed.ts";
import { compact, severities } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { Command } from "../../ui/copy.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterFlag, FilterGiven, FilterMany, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { BugIcon, CheckIcon } from "../../ui/icons.tsx";
import { Page } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityGlyph, SeverityMark } from "../../ui/severity.tsx";
import { Empty } from "../../ui/states.tsx";
import { healthQuery } from "../health/health-query.ts";
import { FindingDetail } from "./finding-detail.tsx";
import { FindingGroups } from "./finding-groups.tsx";
import { ExploitedTag, FindingStateTag, FixedIn } from "./finding-parts.tsx";
import { FindingTrend } from "./finding-trend.tsx";
import { findingKinds, wordsOf } from "./finding-words.ts";
import { FindingsTabs } from "./findings-tabs.tsx";
import classes from "./findings.module.css";
import { findingStates, queryOf, type FindingFilter, type FindingSearch } from "./search.ts";

const topics = ["finding"] as const;
const idOf = (finding: Finding): string => finding.fingerprint;

export function FindingsPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/findings" });
  const { view, id, ...filter } = search;
  const change = useChangeSearch();
  const isFiltered = Object.keys(filter).length > 0;
  const empty = <NoFindings clear={isFiltered ? () => change({ view }, "all") : undefined} />;

  return (
    <Page
      title={t("findings.title")}
      aside={<FindingsTabs view={view} />}
      bar={view === "trend" ? undefined : <Filters search={search} change={change} />}
    >
      {view === "trend" ? (
        <FindingTrend />
      ) : view === undefined ? (
        <FindingList search={search} change={change} empty={empty} />
      ) : (
        <FindingGroups key={view} by={view === "packages" ? "package" : "subject"} filter={filter} empty={empty} />
      )}
      {id !== undefined && <FindingDetail key={id} id={id} onClose={() => change({ id: undefined })} />}
    </Page>
  );
}

interface ListProps {
  search: FindingSearch;
  change: ReturnType<typeof useChangeSearch>;
  empty: ReactNode;
}

function FindingList({ search: { id, view: _, ...filter }, change, empty }: ListProps) {
  const { t } = useTranslation();
  const list = useFindings(filter);
  const { changed, refresh } = useRefreshed(list, topics);
  return (
    <DataTable
      label={t("findings.title")}
      columns={useColumns()}
      renderCard={(finding) => <FindingCard finding={finding} />}
      {...list}
      idOf={idOf}
      nameOf={({ severity, title }) => `${t(`severity.${severity}`)}: ${title}`}
      selected={id}
      onSelect={(finding) => change({ id: finding.fingerprint })}
      pill={changed ? { text: t("table.changed"), onPress: refresh } : undefined}
      empty={empty}
    />
  );
}

function useFindings(filter: FindingFilter) {
  return useLiveList<Finding>({
    queryKey: ["findings", filter],
    fetchPage: async (cursor) => api.listFindings({ query: { ...queryOf(filter), cursor, limit: 100 } }),
    idOf,
  });
}

function useChangeSearch() {
  const navigate = useNavigate({ from: "/findings" });
  return useCallback(
    (part: FindingSearch, what: "some" | "all" = "some") =>
      void navigate({ search: (old) => compact(what === "all" ? part : { ...old, ...part }), replace: true }),
    [navigate],
  );
}

function Filters({ search, change }: { search: FindingSearch; change: ReturnType<typeof useChangeSearch> }) {
  const { t } = useTranslation();
  const { id, view, ...filter } = search;
  const isFiltered = Object.keys(filter).length > 0;
  const flags = ["exploited", "fixable", "running"] as const;
  return (
    <FilterBar onClear={isFiltered ? () => change({ id, view }, "all") : undefined}>
      <FilterText label={t("findings.search")} value={filter.q} onChange={(q) => change({ q })} />
      <FilterMany
        label={t("field.severity")}
        value={filter.severity ?? []}
        options={severities.map((value) => ({
          value,
          label: t(`severity.${value}`),
          mark: <SeverityGlyph value={value} />,
        }))}
        onChange={(severity) => change({ severity: severity.length > 0 ? severity : undefined })}
      />
      <FilterOne
        label={t("field.kind")}
        any={t("filter.any")}
        value={filter.kind}
        options={findingKinds.map((value) => ({ value, label: t(`findingKind.${value}`) }))}
        onChange={(kind) => change({ kind })}
      />
      <FilterOne
        label={t("field.state")}
        any={t("filter.any")}
        value={filter.state}
        options={findingStates.map((value) => ({ value, label: t(`findingState.${value}`) }))}
        onChange={(state) => change({ state })}
      />
      {flags.map((name) => (
        <FilterFlag
          key={name}
          label={t(`finding.${name}`)}
          value={filter[name] ?? false}
          onChange={(on) => change({ [name]: on || undefined })}
        />
      ))}
      {filter.image !== undefined && (
        <FilterGiven
          label={t("field.image")}
          text={filter.image.replace(/@sha256:.*/, "")}
          onRemove={() => change({ image: undefined })}
        />
      )}
      {(["subject", "package"] as const).map(
        (name) =>
          filter[name] !== undefined && (
            <FilterGiven
              key={name}
              label={t(name === "subject" ? "field.weakness" : "field.package")}
              text={filter[name]}
              onRemove={() => change({ [name]: undefined })}
            />
          ),
      )}
    </FilterBar>
  );
}

function useColumns(): Column<Finding>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "severity",
        header: t("field.severity"),
        width: "124px",
        cell: (finding) => {
          const { score } = wordsOf(finding);
          return (
            <>
              <SeverityMark value={finding.severity} />
              {score !== undefined && <span className="dim num">{score.toFixed(1)}</span>}
            </>
          );
        },
      },
      {
        id: "id",
        header: t("field.weakness"),
        width: "minmax(204px, 1fr)",
        cell: (finding) => {
          const { name, exploited } = wordsOf(finding);
          return (
            <>
              <span className={`cut ${classes.id}`} title={name}>
                {name}
              </span>
              {exploited && <ExploitedTag />}
            </>
          );
        },
      },
      {
        id: "package",
        header: t("field.where"),
        width: "minmax(0, 0.9fr)",
        cell: (finding) => <Line text={wordsOf(finding).where} />,
      },
      {
        id: "version",
        header: t("findings.versions"),
        width: "minmax(0, 1.5fr)",
        from: 760,
        cell: (finding) =>
          finding.kind === "vulnerability" ? (
            <FixedIn vulnerability={finding.vulnerability} />
          ) : (
            <span className="dim">{t(`findingKind.${finding.kind}`)}</span>
          ),
      },
      {
        id: "image",
        header: t("field.image"),
        width: "minmax(0, 1.2fr)",
        from: 640,
        cell: ({ asset }) => (
          <span className="cut dim">
            <Line text={asset.name} />
          </span>
        ),
      },
      {
        id: "running",
        header: t("field.running"),
        width: "66px",
        align: "end",
        from: 900,
        cell: ({ runningContainers }) => (
          <span className={runningContainers === 0 ? "num dim" : "num"}>{format.number(runningContainers)}</span>
        ),
      },
      {
        id: "state",
        header: t("field.state"),
        width: "84px",
        from: 1000,
        cell: ({ state }) => <FindingStateTag state={state} />,
      },
    ],
    [t, format],
  );
}

function FindingCard({ finding }: { finding: Finding }) {
  const { name, where, exploited, score } = wordsOf(finding);
  return (
    <Card>
      <CardLine end={<span className="dim num">{score?.toFixed(1)}</span>}>
        <SeverityMark value={finding.severity} />
        <span className={`cut ${classes.id}`}>{name}</span>
        {exploited && <ExploitedTag />}
      </CardLine>
      <CardLine
        dim
        end={
          <span className="cut">
            <Line text={finding.asset.name} />
          </span>
        }
      >
        <Line text={where} />
      </CardLine>
    </Card>
  );
}

/** Nothing found means something only where there is a database to find with. */
function NoFindings({ clear }: { clear: (() => void) | undefined }) {
  const { t } = useTranslation();
  const { data } = useQuery(healthQuery);
  const advisories = data?.components.find(({ id }) => id === "advisories");
  if (advisories?.state === "off" || advisories?.state === "failed") {
    return (
      <Empty icon={<BugIcon size={20} />} title={t("findings.noDatabase")} text={t("findings.noDatabaseText")}>
        <Command text="bulwark db update" />
      </Empty>
    );
  }
  if (clear) {
    return (
      <Empty icon={<BugIcon size={20} />} title={t("findings.noneHere")}>
        <Button variant="default" onClick={clear}>
          {t("filter.clear")}
        </Button>
      </Empty>
    );
  }
  return <Empty icon={<CheckIcon size={20} />} title={t("findings.none")} text={t("findings.noneText")} />;
}
