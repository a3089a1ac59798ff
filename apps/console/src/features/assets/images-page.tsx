import type { ImageSummary } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useLiveList } from "../../api/live-list.ts";
import { listenTo } from "../../api/stream.ts";
import { useRefreshed } from "../../api/use-refreshed.ts";
import { compact } from "../../search.ts";
import { Card, CardLine } from "../../ui/card.tsx";
import { Command } from "../../ui/copy.tsx";
import { DataTable, type Column } from "../../ui/data-table.tsx";
import { FilterBar, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { LayersIcon } from "../../ui/icons.tsx";
import { Page } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityBar } from "../../ui/severity.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { AssetTabs } from "./assets-tabs.tsx";
import classes from "./assets.module.css";
import { ImageDetail } from "./image-detail.tsx";
import { ScanState } from "./scan-state.tsx";
import type { ChangeImageSearch, ImageSearch } from "./search.ts";

const topics = ["image", "finding"] as const;
const idOf = (image: ImageSummary): string => image.key;
type Filter = Pick<ImageSearch, "q">;

export function ImagesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/assets/images" });
  const change = useChangeSearch();
  const { id, q } = search;
  const list = useImages(q === undefined ? {} : { q });
  const { changed, refresh } = useRefreshed(list, topics);

  return (
    <Page
      title={t("assets.title")}
      aside={<AssetTabs />}
      bar={
        <FilterBar onClear={q === undefined ? undefined : () => change({ q: undefined })}>
          <FilterText label={t("assets.searchImages")} value={q} onChange={(next) => change({ q: next })} />
        </FilterBar>
      }
    >
      <DataTable
        label={t("assets.images")}
        columns={useColumns()}
        renderCard={(image) => <ImageCard image={image} />}
        {...list}
        idOf={idOf}
        nameOf={({ name }) => name}
        selected={id}
        onSelect={(image) => change({ id: image.key, package: undefined })}
        pill={changed ? { text: t("table.changed"), onPress: refresh } : undefined}
        empty={<NoImages clear={q === undefined ? undefined : () => change({ q: undefined })} />}
      />
      {id !== undefined && (
        <ImageDetail
          key={id}
          id={id}
          search={search}
          change={change}
          onClose={() => change({ id: undefined, view: undefined, sort: undefined, package: undefined })}
        />
      )}
    </Page>
  );
}

function useImages(filter: Filter) {
  const list = useLiveList<ImageSummary>({
    queryKey: ["images", filter],
    fetchPage: async (cursor) => api.listImages({ query: { ...filter, cursor, limit: 100 } }),
    idOf,
  });
  const { change } = list;
  useEffect(() => listenTo("image", (image) => change(new Map([[image.key, image]]))), [change]);
  return list;
}

function useChangeSearch(): ChangeImageSearch {
  const navigate = useNavigate({ from: "/assets/images" });
  return useCallback(
    (part) => void navigate({ search: (old) => compact({ ...old, ...part }), replace: true }),
    [navigate],
  );
}

function useColumns(): Column<ImageSummary>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "name",
        header: t("field.image"),
        width: "minmax(0, 2fr)",
        cell: ({ name, digest }) => (
          <>
            <span className={`cut ${classes.name}`}>
              <Line text={name} />
            </span>
            {digest !== null && <code className="dim">{digest.replace("sha256:", "").slice(0, 8)}</code>}
          </>
        ),
      },
      {
        id: "os",
        header: t("field.os"),
        width: "minmax(0, 1fr)",
        from: 800,
        cell: ({ os }) => (os === null ? <span className="dim">–</span> : <Line text={os} />),
      },
      {
        id: "findings",
        header: t("field.findings"),
        width: "minmax(190px, 1.1fr)",
        cell: ({ findings }) => <SeverityBar counts={findings} />,
      },
      {
        id: "packages",
        header: t("field.packages"),
        width: "76px",
        align: "end",
        from: 700,
        cell: ({ packages }) => <span className="num">{format.number(packages)}</span>,
      },
      {
        id: "running",
        header: t("field.running"),
        width: "70px",
        align: "end",
        cell: ({ runningContainers }) => (
          <span className={runningContainers === 0 ? "num dim" : "num"}>{format.number(runningContainers)}</span>
        ),
      },
      {
        id: "state",
        header: t("field.scan"),
        width: "86px",
        from: 900,
        cell: ({ state }) => <ScanState state={state} />,
      },
      {
        id: "scanned",
        header: t("field.scanned"),
        width: "100px",
        align: "end",
        from: 860,
        cell: ({ scannedAt }) => (
          <span className="dim">
            <Ago time={scannedAt} />
          </span>
        ),
      },
    ],
    [t, format],
  );
}

function ImageCard({ image }: { image: ImageSummary }) {
  const { t } = useTranslation();
  return (
    <Card>
      <CardLine end={<span className="dim">{t("image.running", { count: image.runningContainers })}</span>}>
        <span className={`cut ${classes.name}`}>
          <Line text={image.name} />
        </span>
      </CardLine>
      <CardLine end={<span className="cut dim">{image.os}</span>}>
        <SeverityBar counts={image.findings} />
      </CardLine>
    </Card>
  );
}

function NoImages({ clear }: { clear: (() => void) | undefined }) {
  const { t } = useTranslation();
  if (clear) {
    return (
      <Empty icon={<LayersIcon size={20} />} title={t("assets.noImagesHere")}>
        <Button variant="default" onClick={clear}>
          {t("filter.clear")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={<LayersIcon size={20} />} title={t("assets.noImages")} text={t("assets.noImagesText")}>
      <Command text="bulwark join NODE" />
    </Empty>
  );
}
