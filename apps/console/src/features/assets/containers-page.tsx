import type { Container } from "@bulwark/model";
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
import { FilterBar, FilterFlag, FilterGiven, FilterOne, FilterText } from "../../ui/filters.tsx";
import { BoxIcon } from "../../ui/icons.tsx";
import { Page } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Empty } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { AssetTabs } from "./assets-tabs.tsx";
import classes from "./assets.module.css";
import { ContainerDetail } from "./container-detail.tsx";
import { ContainerFlags, ContainerState } from "./container-state.tsx";
import type { ContainerSearch } from "./search.ts";

const topics = ["container"] as const;
const idOf = (container: Container): string => `${container.node}/${container.runtime}/${container.id}`;

export function ContainersPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/assets/containers" });
  const { id, ...filter } = search;
  const change = useChangeSearch();
  const list = useContainers(filter);
  const { changed, refresh } = useRefreshed(list, topics);
  const selected = list.rows.find((container) => container.id === id);
  const isFiltered = Object.keys(filter).length > 0;

  return (
    <Page title={t("assets.title")} aside={<AssetTabs />} bar={<Filters search={search} change={change} />}>
      <DataTable
        label={t("assets.containers")}
        columns={useColumns()}
        renderCard={(container) => <ContainerCard container={container} />}
        cardsBelow={720}
        {...list}
        idOf={idOf}
        nameOf={({ name, state }) => `${name}, ${t(`containerState.${state}`)}`}
        selected={selected ? idOf(selected) : id}
        onSelect={(container) => change({ id: container.id })}
        pill={changed ? { text: t("table.changed"), onPress: refresh } : undefined}
        empty={<NoContainers clear={isFiltered ? () => change({}, "all") : undefined} />}
      />
      {id !== undefined && <ContainerDetail key={id} id={id} onClose={() => change({ id: undefined })} />}
    </Page>
  );
}

function useContainers(filter: Omit<ContainerSearch, "id">) {
  const list = useLiveList<Container>({
    queryKey: ["containers", filter],
    fetchPage: async (cursor) =>
      api.listContainers({
        query: { ...filter, privileged: filter.privileged && "true", cursor, limit: 100 },
      }),
    idOf,
  });
  const { change } = list;
  // A row that is shown tells its new state at once; its new place comes with the next look at the list.
  useEffect(() => listenTo("container", (container) => change(new Map([[idOf(container), container]]))), [change]);
  return list;
}

function useChangeSearch() {
  const navigate = useNavigate({ from: "/assets/containers" });
  return useCallback(
    (part: ContainerSearch, what: "some" | "all" = "some") =>
      void navigate({ search: (old) => compact(what === "all" ? part : { ...old, ...part }), replace: true }),
    [navigate],
  );
}

function Filters({ search, change }: { search: ContainerSearch; change: ReturnType<typeof useChangeSearch> }) {
  const { t } = useTranslation();
  const { id, ...filter } = search;
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <FilterBar onClear={isFiltered ? () => change({ id }, "all") : undefined}>
      <FilterText label={t("assets.searchContainers")} value={filter.q} onChange={(q) => change({ q })} />
      <FilterOne
        label={t("field.state")}
        any={t("filter.any")}
        value={filter.state}
        options={(["running", "stopped"] as const).map((value) => ({ value, label: t(`containerState.${value}`) }))}
        onChange={(state) => change({ state })}
      />
      <FilterFlag
        label={t("container.privileged")}
        value={filter.privileged ?? false}
        onChange={(on) => change({ privileged: on || undefined })}
      />
      {filter.node !== undefined && (
        <FilterGiven label={t("field.node")} text={filter.node} onRemove={() => change({ node: undefined })} />
      )}
    </FilterBar>
  );
}

function useColumns(): Column<Container>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "state",
        header: t("field.state"),
        width: "92px",
        cell: ({ state }) => <ContainerState state={state} />,
      },
      {
        id: "name",
        header: t("field.name"),
        width: "minmax(0, 1.2fr)",
        cell: ({ name }) => (
          <span className={`cut ${classes.name}`}>
            <Line text={name} />
          </span>
        ),
      },
      {
        id: "image",
        header: t("field.image"),
        width: "minmax(0, 1.5fr)",
        cell: ({ image }) => <Line text={image.name} />,
      },
      {
        id: "pod",
        header: t("field.pod"),
        width: "minmax(0, 1.2fr)",
        from: 980,
        cell: ({ pod }) => (pod ? <Line text={`${pod.namespace}/${pod.name}`} /> : <span className="dim">–</span>),
      },
      { id: "node", header: t("field.node"), width: "110px", from: 860, cell: ({ node }) => <Line text={node} /> },
      {
        id: "runtime",
        header: t("field.runtime"),
        width: "90px",
        from: 1100,
        cell: ({ runtime }) => <span className="dim">{runtime}</span>,
      },
      {
        id: "flags",
        header: t("field.flags"),
        width: "minmax(176px, 0.9fr)",
        from: 700,
        cell: (container) => <ContainerFlags container={container} />,
      },
      {
        id: "started",
        header: t("field.started"),
        width: "96px",
        align: "end",
        cell: ({ startedAt }) => <span className="dim">{startedAt !== null && <Ago time={startedAt} />}</span>,
      },
    ],
    [t],
  );
}

function ContainerCard({ container }: { container: Container }) {
  return (
    <Card>
      <CardLine end={<ContainerFlags container={container} />}>
        <ContainerState state={container.state} />
        <span className={`cut ${classes.name}`}>
          <Line text={container.name} />
        </span>
      </CardLine>
      <CardLine dim end={container.startedAt !== null && <Ago time={container.startedAt} />}>
        <Line text={container.image.name} />
      </CardLine>
    </Card>
  );
}

function NoContainers({ clear }: { clear: (() => void) | undefined }) {
  const { t } = useTranslation();
  if (clear) {
    return (
      <Empty icon={<BoxIcon size={20} />} title={t("assets.noContainersHere")}>
        <Button variant="default" onClick={clear}>
          {t("filter.clear")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={<BoxIcon size={20} />} title={t("assets.noContainers")} text={t("assets.noContainersText")}>
      <Command text="bulwark join NODE" />
    </Empty>
  );
}
