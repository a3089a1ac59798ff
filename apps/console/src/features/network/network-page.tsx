import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { compact } from "../../search.ts";
import { GateIcon } from "../../ui/icons.tsx";
import { Page, Pane } from "../../ui/page.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { tab, Tabs } from "../../ui/tabs.tsx";
import { filterEdges } from "./edge-filter.ts";
import { EdgesTable } from "./edges-table.tsx";
import { edgesQuery, type EdgesAnswer } from "./edges-query.ts";
import { createPlaces } from "./ends.ts";
import { buildGraph } from "./graph.ts";
import { NetworkDetail } from "./network-detail.tsx";
import { NetworkFilters } from "./network-filters.tsx";
import { NetworkMap } from "./network-map.tsx";
import { NetworkStatus } from "./network-status.tsx";
import classes from "./network.module.css";
import { NoFlows } from "./no-flows.tsx";
import { defaultSpan, networkViews, type NetworkSearch } from "./search.ts";
import type { WhatIf } from "./what-if.ts";

export type ChangeNetwork = (part: NetworkSearch) => void;

/** Who talks to whom, who may, and what a change of policies would do. */
export function NetworkPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/network" });
  const change = useChangeSearch();
  const { data, error, refetch } = useQuery(edgesQuery(search.cluster, search.span ?? defaultSpan));
  return (
    <Page
      title={t("network.title")}
      aside={<Aside search={search} change={change} />}
      bar={data && <NetworkStatus answer={data} />}
    >
      {data ? (
        <Board answer={data} search={search} change={change} />
      ) : (
        <Pane>{error ? <Failed error={error} retry={() => void refetch()} /> : <Lines count={8} />}</Pane>
      )}
    </Page>
  );
}

function useChangeSearch(): ChangeNetwork {
  const navigate = useNavigate({ from: "/network" });
  return useCallback(
    (part) => void navigate({ search: (old) => compact({ ...old, ...part }), replace: true }),
    [navigate],
  );
}

interface BoardProps {
  answer: EdgesAnswer;
  search: NetworkSearch;
  change: ChangeNetwork;
}

function Board({ answer, search, change }: BoardProps) {
  const { items, observers } = answer;
  const [whatIf, setWhatIf] = useState<WhatIf>();
  const placeOf = useMemo(() => createPlaces(observers), [observers]);
  const { namespace, q, verdict, encryption, fresh, port } = search;
  const edges = useMemo(
    () => filterEdges(items, { namespace, q, verdict, encryption, fresh, port }),
    [items, namespace, q, verdict, encryption, fresh, port],
  );
  const opened = (search.open ?? []).join(",");
  const open = useMemo(() => new Set(opened === "" ? [] : opened.split(",")), [opened]);
  const graph = useMemo(() => buildGraph(edges, placeOf, open), [edges, placeOf, open]);
  const shown = search.policies === undefined ? undefined : whatIf;
  return (
    <>
      <Pane>
        <NetworkFilters answer={answer} shown={edges.length} search={search} change={change} />
        {edges.length === 0 ? (
          <NoFlows answer={answer} search={search} change={change} />
        ) : (
          <div className={classes.views}>
            {search.view !== "table" && (
              <NetworkMap graph={graph} open={open} search={search} change={change} whatIf={shown} />
            )}
            {(search.view === "table" || search.view === "both") && (
              <EdgesTable edges={edges} search={search} change={change} whatIf={shown} />
            )}
          </div>
        )}
      </Pane>
      <NetworkDetail
        answer={answer}
        edges={edges}
        placeOf={placeOf}
        graph={graph}
        search={search}
        change={change}
        onWhatIf={setWhatIf}
      />
    </>
  );
}

function Aside({ search, change }: { search: NetworkSearch; change: ChangeNetwork }) {
  const { t } = useTranslation();
  const view = search.view ?? "map";
  return (
    <>
      <Tabs label={t("network.title")}>
        {networkViews.map((name) => (
          <Link
            key={name}
            from="/network"
            to="/network"
            search={(old) => compact({ ...old, view: name === "map" ? undefined : name })}
            {...tab(name === view, name === "both" ? classes.wide : undefined)}
          >
            {t(`network.views.${name}`)}
          </Link>
        ))}
      </Tabs>
      <span className={classes.end}>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<GateIcon size={13} />}
          aria-pressed={search.policies !== undefined}
          onClick={() =>
            change({
              policies: search.policies === undefined ? "all" : undefined,
              edge: undefined,
              node: undefined,
              link: undefined,
            })
          }
        >
          {t("network.policies")}
        </Button>
      </span>
    </>
  );
}
