import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { FilterBar, FilterFlag, FilterOne, FilterText } from "../../ui/filters.tsx";
import { useFormat } from "../../ui/format.ts";
import { namespacesOf, portsOf } from "./edge-filter.ts";
import type { EdgesAnswer } from "./edges-query.ts";
import { encryptions, verdicts } from "./ends.ts";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { defaultSpan, spans, type NetworkSearch } from "./search.ts";

interface Props {
  answer: EdgesAnswer;
  /** How many edges fit. */
  shown: number;
  search: NetworkSearch;
  change: ChangeNetwork;
}

export function NetworkFilters({ answer: { items, clusters }, shown, search, change }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const namespaces = useMemo(() => namespacesOf(items), [items]);
  const ports = useMemo(() => portsOf(items), [items]);
  const plain = (value: string) => ({ value, label: value });
  return (
    <FilterBar onClear={isFiltered(search) ? () => change(noFilter) : undefined}>
      <FilterText label={t("network.search")} value={search.q} onChange={(q) => change({ q })} />
      {(clusters.length > 1 || search.cluster !== undefined) && (
        <FilterOne
          label={t("cluster.name")}
          any={t("filter.any")}
          value={search.cluster}
          options={withChosen(
            clusters.map(({ cluster }) => cluster),
            search.cluster,
          ).map(plain)}
          onChange={(cluster) => change({ cluster })}
        />
      )}
      <FilterOne
        label={t("cluster.namespace")}
        any={t("filter.any")}
        value={search.namespace}
        options={withChosen(namespaces, search.namespace).map(plain)}
        onChange={(namespace) => change({ namespace })}
      />
      <FilterOne
        label={t("network.verdict")}
        any={t("filter.any")}
        value={search.verdict}
        options={verdicts.map((value) => ({ value, label: t(`network.verdicts.${value}`) }))}
        onChange={(verdict) => change({ verdict })}
      />
      <FilterOne
        label={t("network.encryption")}
        any={t("filter.any")}
        value={search.encryption}
        options={encryptions.map((value) => ({ value, label: t(`network.encryptions.${value}`) }))}
        onChange={(encryption) => change({ encryption })}
      />
      <FilterOne
        label={t("network.port")}
        any={t("filter.any")}
        value={search.port}
        options={withChosen(ports, search.port).map(plain)}
        onChange={(port) => change({ port })}
      />
      <FilterFlag
        label={t("network.fresh")}
        value={search.fresh ?? false}
        onChange={(on) => change({ fresh: on || undefined })}
      />
      <FilterOne
        label={t("network.span")}
        any={t(`network.spans.${defaultSpan}`)}
        value={search.span === defaultSpan ? undefined : search.span}
        options={spans
          .filter((value) => value !== defaultSpan)
          .map((value) => ({ value, label: t(`network.spans.${value}`) }))}
        onChange={(span) => change({ span })}
      />
      <span className={`dim num ${classes.count}`}>
        {t("network.pairs", { count: shown, text: format.number(shown) })}
      </span>
    </FilterBar>
  );
}

/** Takes every filter away. */
export const noFilter = {
  ...{ q: undefined, cluster: undefined, namespace: undefined, verdict: undefined, encryption: undefined },
  ...{ port: undefined, fresh: undefined },
} satisfies NetworkSearch;

export function isFiltered(search: NetworkSearch): boolean {
  return (Object.keys(noFilter) as (keyof NetworkSearch)[]).some((key) => search[key] !== undefined);
}

/** What a link names is offered too, even where it is not seen now. */
function withChosen(options: string[], chosen: string | undefined): string[] {
  return chosen === undefined || options.includes(chosen) ? options : [chosen, ...options];
}
