import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { AlertIcon } from "../../ui/icons.tsx";
import { overviewQuery } from "../overview/overview-query.ts";
import type { EdgesAnswer } from "./edges-query.ts";
import classes from "./network.module.css";

/** Of what the picture is, and what is missing in it: nodes that do not tell, gaps, losses, pairs beyond the limit. */
export function NetworkStatus({ answer }: { answer: EdgesAnswer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const nodes = useQuery(overviewQuery).data?.nodes ?? 0;
  const { observers, lost, truncated, items, total, clusters } = answer;
  if (observers.length === 0) return null;
  const live = observers.filter((observer) => observer.live);
  const silent = observers.filter((observer) => !observer.live).map(({ node }) => node);
  const gapped = observers.filter(({ gaps }) => gaps.length > 0).map(({ node }) => node);
  const others = Math.max(0, nodes - observers.length);
  const wrong = [
    truncated && t("network.truncated", { shown: format.number(items.length), total: format.number(total) }),
    silent.length > 0 && t("network.silent", { count: silent.length, names: few(silent) }),
    others > 0 && t("network.unwatched", { count: others }),
    gapped.length > 0 && t("network.gaps", { count: gapped.length, names: few(gapped) }),
    lost > 0 && t("network.lost", { count: lost, text: format.number(lost) }),
    ...clusters
      .filter(({ policies }) => policies === null)
      .map(({ cluster, reason, remedy }) =>
        t("network.unknownPolicies", { cluster, reason: [reason, remedy].filter(Boolean).join("; ") }),
      ),
  ].filter((text) => text !== false);
  return (
    <div className={classes.status} role="status">
      <span className="dim">
        {t("network.observers", { count: live.length, total: Math.max(nodes, observers.length) })}
      </span>
      {wrong.map((text) => (
        <span key={text} className={classes.wrong} title={text}>
          <AlertIcon size={13} />
          <span className="cut">{text}</span>
        </span>
      ))}
    </div>
  );
}

function few(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")}, …` : names.join(", ");
}
