import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Command } from "../../ui/copy.tsx";
import { NetworkIcon } from "../../ui/icons.tsx";
import { Empty } from "../../ui/states.tsx";
import type { EdgesAnswer } from "./edges-query.ts";
import { isFiltered, noFilter } from "./network-filters.tsx";
import type { ChangeNetwork } from "./network-page.tsx";
import type { NetworkSearch } from "./search.ts";

interface Props {
  answer: EdgesAnswer;
  search: NetworkSearch;
  change: ChangeNetwork;
}

/** Nothing to draw: because filters leave nothing, because nothing happened, or because nobody looks. */
export function NoFlows({ answer: { items, observers }, search, change }: Props) {
  const { t } = useTranslation();
  const icon = <NetworkIcon size={20} />;
  if (observers.length === 0 && items.length === 0) {
    return (
      <Empty icon={icon} title={t("network.off")} text={t("network.offText")}>
        <Command text="agent: { network: { flows: true } }" />
      </Empty>
    );
  }
  if (!isFiltered(search)) return <Empty icon={icon} title={t("network.none")} text={t("network.noneText")} />;
  return (
    <Empty icon={icon} title={t("network.noneHere")}>
      <Button variant="default" onClick={() => change(noFilter)}>
        {t("filter.clear")}
      </Button>
    </Empty>
  );
}
