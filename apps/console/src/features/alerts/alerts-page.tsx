import type { StoredAlert } from "@bulwark/model";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { compact, severities } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterGiven, FilterMany, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { Page } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityGlyph, SeverityMark } from "../../ui/severity.tsx";
import { Ago } from "../../ui/time.tsx";
import { AlertDetail } from "./alert-detail.tsx";
import { AlertStateTag } from "./alert-state.tsx";
import classes from "./alerts.module.css";
import { useLiveAlerts } from "./live-alerts.ts";
import { NoAlerts } from "./no-alerts.tsx";
import { alertStates, type AlertSearch } from "./search.ts";
import { useSeenRules } from "./seen-rules.ts";
import { leadOf, summaryOf, whereOf } from "./texts.ts";
import { useUpdateAlert } from "./update-alert.ts";

const idOf = (alert: StoredAlert): string => alert.id;

export function AlertsPage() {
  const { t } = useTranslation();
  const known = useKnown();
  const search = useSearch({ from: "/app/alerts" });
  const change = useChangeSearch();
  const { id, ...filter } = search;
  const list = useLiveAlerts(filter);
  const update = useUpdateAlert();
  const columns = useColumns();
  const isFiltered = Object.keys(filter).length > 0;

  return (
    <Page title={t("alerts.title")} bar={<Filters search={search} change={change} />}>
      <DataTable
        label={t("alerts.title")}
        columns={columns}
        renderCard={(alert) => <AlertCard alert={alert} />}
        cardsBelow={720}
        {...list}
        idOf={idOf}
        nameOf={(alert) => `${t(`severity.${alert.severity}`)}: ${known.rule(alert.rule, "title", alert.title)}`}
        selected={id}
        onSelect={(alert) => change({ id: alert.id })}
        keys={{ a: (alert) => alert.state === "open" && update.mutate({ id: alert.id, state: "acknowledged" }) }}
        fresh={list.fresh}
        onTop={list.setTop}
        pill={list.waiting > 0 ? { text: t("alerts.new", { count: list.waiting }), onPress: list.show } : undefined}
        empty={<NoAlerts filtered={isFiltered} clear={() => change({}, "all")} />}
      />
      {id !== undefined && <AlertDetail key={id} id={id} onClose={() => change({ id: undefined })} />}
    </Page>
  );
}

function useChangeSearch() {
  const navigate = useNavigate({ from: "/alerts" });
  return useCallback(
    (part: AlertSearch, what: "some" | "all" = "some") =>
      void navigate({
        search: (old) => compact(what === "all" ? part : { ...old, ...part }),
        replace: true,
      }),
    [navigate],
  );
}

interface FiltersProps {
  search: AlertSearch;
  change: ReturnType<typeof useChangeSearch>;
}

function Filters({ search, change }: FiltersProps) {
  const { t } = useTranslation();
  const known = useKnown();
  const format = useFormat();
  const { id, ...filter } = search;
  const { since, until } = filter;
  const isFiltered = Object.keys(filter).length > 0;
  const rules = useSeenRules(({ rule, title }) => known.rule(rule, "title", title));
  // One that a link names is offered too, though no alert of it is here.
  if (filter.rule !== undefined && !rules.has(filter.rule)) {
    rules.set(filter.rule, known.rule(filter.rule, "title", filter.rule));
  }
  return (
    <FilterBar onClear={isFiltered ? () => change({ id }, "all") : undefined}>
      <FilterText label={t("alerts.search")} value={filter.q} onChange={(q) => change({ q })} />
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
        label={t("field.state")}
        any={t("filter.any")}
        value={filter.state}
        options={alertStates.map((value) => ({ value, label: t(`alertState.${value}`) }))}
        onChange={(state) => change({ state })}
      />
      <FilterOne
        label={t("field.rule")}
        any={t("filter.any")}
        value={filter.rule}
        options={[...rules].map(([value, label]) => ({ value, label }))}
        onChange={(rule) => change({ rule })}
      />
      {filter.object !== undefined && (
        <FilterGiven label={t("cluster.object")} text={filter.object} onRemove={() => change({ object: undefined })} />
      )}
      {filter.container !== undefined && (
        <FilterGiven
          label={t("field.container")}
          text={filter.container.slice(0, 12)}
          onRemove={() => change({ container: undefined })}
        />
      )}
      {(since !== undefined || until !== undefined) && (
        <FilterGiven
          label={t("field.time")}
          text={`${since === undefined ? "" : format.hour(since)} – ${until === undefined ? "" : format.hour(until)}`}
          onRemove={() => change({ since: undefined, until: undefined })}
        />
      )}
    </FilterBar>
  );
}

function useColumns(): Column<StoredAlert>[] {
  const { t } = useTranslation();
  const known = useKnown();
  return useMemo(
    () => [
      {
        id: "severity",
        header: t("field.severity"),
        width: "88px",
        cell: ({ severity }) => <SeverityMark value={severity} />,
      },
      {
        id: "title",
        header: t("field.alert"),
        width: "minmax(0, 2.7fr)",
        cell: (alert) => (
          <>
            <span className={`cut ${classes.title}`}>
              <Line text={known.rule(alert.rule, "title", alert.title)} />
              <Times alert={alert} />
            </span>
            <span className={`cut dim ${classes.lead}`}>
              <Line mono text={leadOf(alert)} />
            </span>
          </>
        ),
      },
      {
        id: "container",
        header: t("field.container"),
        width: "minmax(0, 1fr)",
        cell: (alert) => <Line text={whereOf(alert)} />,
      },
      {
        id: "image",
        header: t("field.image"),
        width: "minmax(0, 1.1fr)",
        from: 1000,
        cell: (alert) => (
          <span className="cut dim">
            <Line text={alert.container?.image.name ?? ""} />
          </span>
        ),
      },
      { id: "node", header: t("field.node"), width: "110px", from: 1140, cell: ({ node }) => <Line text={node} /> },
      {
        id: "state",
        header: t("field.state"),
        width: "116px",
        from: 760,
        cell: ({ state }) => <AlertStateTag state={state} />,
      },
      {
        id: "time",
        header: t("field.time"),
        width: "100px",
        align: "end",
        cell: ({ time }) => (
          <span className="dim">
            <Ago time={time} />
          </span>
        ),
      },
    ],
    [t, known],
  );
}

/** How often the same was seen, where it was more than once. */
function Times({ alert: { repeats } }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!repeats) return null;
  const hint = t("alerts.repeats", { count: repeats.count, text: format.number(repeats.count) });
  return (
    <span className={`dim num ${classes.times}`} title={hint}>
      ×{format.number(repeats.count + 1)}
    </span>
  );
}

function AlertCard({ alert }: { alert: StoredAlert }) {
  const known = useKnown();
  return (
    <Card>
      <CardLine
        end={
          <span className="dim">
            <Ago time={alert.time} />
          </span>
        }
      >
        <SeverityMark value={alert.severity} />
        <span className={`cut ${classes.title}`}>
          <Line text={known.rule(alert.rule, "title", alert.title)} />
          <Times alert={alert} />
        </span>
      </CardLine>
      <CardLine dim end={<AlertStateTag state={alert.state} />}>
        <Line text={summaryOf(alert)} />
      </CardLine>
    </Card>
  );
}
