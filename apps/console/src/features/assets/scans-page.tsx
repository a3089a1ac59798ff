import type { Scan } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { compact } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { LayersIcon } from "../../ui/icons.tsx";
import { Page, Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { AssetTabs } from "./assets-tabs.tsx";
import classes from "./assets.module.css";
import { scanOrigins, scanStates, type ScanSearch } from "./search.ts";

const idOf = ({ place, key }: Scan): string => `${place} ${key}`;
/** Milliseconds; scans change while one looks. */
const every = 3000;

/** Which images are looked into, in which order, and how that gets on. */
export function ScansPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/assets/scans" });
  const navigate = useNavigate({ from: "/assets/scans" });
  const change = (part: ScanSearch): void =>
    void navigate({ search: (old) => compact({ ...old, ...part }), replace: true });
  const list = useLiveList<Scan>({
    queryKey: ["scans", search],
    fetchPage: async (cursor) => api.listScans({ query: { ...search, cursor, limit: 100 } }),
    idOf,
  });
  const { refetch } = list;
  const { data: counts } = useQuery({
    queryKey: ["scan-counts"],
    queryFn: async () => api.countScans(),
    refetchInterval: every,
  });
  const moving = counts && Object.values(counts.counts).some((of) => of.running + of.waiting > 0);
  useEffect(() => {
    if (!moving) return undefined;
    const timer = setInterval(refetch, every);
    return () => clearInterval(timer);
  }, [moving, refetch]);
  const isFiltered = Object.keys(search).length > 0;

  return (
    <Page
      title={t("assets.title")}
      aside={<AssetTabs />}
      bar={
        <FilterBar
          onClear={isFiltered ? () => change({ q: undefined, state: undefined, origin: undefined }) : undefined}
        >
          <FilterText label={t("assets.searchImages")} value={search.q} onChange={(q) => change({ q })} />
          <FilterOne
            label={t("field.state")}
            any={t("filter.any")}
            value={search.state}
            options={scanStates.map((value) => ({ value, label: t(`scans.states.${value}`) }))}
            onChange={(state) => change({ state })}
          />
          <FilterOne
            label={t("scans.origin")}
            any={t("filter.any")}
            value={search.origin}
            options={scanOrigins.map((value) => ({ value, label: t(`scans.origins.${value}`) }))}
            onChange={(origin) => change({ origin })}
          />
        </FilterBar>
      }
    >
      <DataTable
        label={t("scans.title")}
        columns={useColumns()}
        renderCard={(scan) => <ScanCard scan={scan} />}
        {...list}
        idOf={idOf}
        nameOf={({ name, state }) => `${name}: ${t(`scans.states.${state}`)}`}
        onSelect={({ key }) => void navigate({ to: "/assets/images", search: { id: key } })}
        empty={<Empty icon={<LayersIcon size={20} />} title={t("scans.none")} text={t("scans.noneText")} />}
      />
    </Page>
  );
}

const tones = { waiting: "plain", running: "info", done: "good", failed: "bad" } as const;

function StateTag({ scan: { state, done, total } }: { scan: Scan }) {
  const { t } = useTranslation();
  const text = t(`scans.states.${state}`);
  return <Tag tone={tones[state]}>{state === "running" && total !== null ? `${text} ${done}/${total}` : text}</Tag>;
}

function useColumns(): Column<Scan>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "name",
        header: t("field.image"),
        width: "minmax(0, 2fr)",
        cell: ({ name }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={name} />
          </span>
        ),
      },
      { id: "state", header: t("field.state"), width: "130px", cell: (scan) => <StateTag scan={scan} /> },
      {
        id: "origin",
        header: t("scans.origin"),
        width: "140px",
        from: 700,
        cell: ({ origin }) => <span className="dim">{t(`scans.origins.${origin}`)}</span>,
      },
      {
        id: "place",
        header: t("scans.place"),
        width: "minmax(0, 1fr)",
        from: 980,
        cell: ({ place, origin }) => (
          <span className="cut dim">{origin === "registry" ? t("scans.server") : <Line text={place} />}</span>
        ),
      },
      {
        id: "reason",
        header: t("scans.reason"),
        width: "minmax(0, 1.6fr)",
        from: 820,
        cell: ({ reason, attempts, nextAt }) =>
          reason === "" ? (
            <span className="dim">–</span>
          ) : (
            <span className="cut" title={reason}>
              {nextAt === null ? null : (
                <span className="dim">
                  {t("scans.again", { attempt: attempts, time: format.clock(nextAt) })}
                  {" · "}
                </span>
              )}
              <Line text={reason} />
            </span>
          ),
      },
      {
        id: "time",
        header: t("field.time"),
        width: "100px",
        align: "end",
        from: 600,
        cell: ({ finishedAt, startedAt, queuedAt }) => (
          <span className="dim">
            <Ago time={finishedAt ?? startedAt ?? queuedAt} />
          </span>
        ),
      },
    ],
    [t, format],
  );
}

function ScanCard({ scan }: { scan: Scan }) {
  const { t } = useTranslation();
  return (
    <Card>
      <CardLine end={<StateTag scan={scan} />}>
        <span className={`cut ${classes.name}`}>
          <Line text={scan.name} />
        </span>
      </CardLine>
      <CardLine dim>{scan.reason === "" ? t(`scans.origins.${scan.origin}`) : <Line text={scan.reason} />}</CardLine>
    </Card>
  );
}
