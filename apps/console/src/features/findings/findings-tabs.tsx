import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { tab, Tabs } from "../../ui/tabs.tsx";
import { overviewQuery } from "../overview/overview-query.ts";
import { findingViews, type FindingView } from "./search.ts";

/** The same findings one by one, by what they are, by package, and over time; then what is found elsewhere. */
export function FindingsTabs({ view }: { view: FindingView | undefined }) {
  const { t } = useTranslation();
  const { data: overview } = useQuery(overviewQuery);
  return (
    <Tabs label={t("findings.views.label")}>
      {([undefined, ...findingViews] as const).map((name) => (
        <Link
          key={name ?? "list"}
          to="/findings"
          search={name === undefined ? {} : { view: name, state: "open" }}
          {...tab(view === name)}
        >
          {t(`findings.views.${name ?? "list"}`)}
        </Link>
      ))}
      {/* What fails of hosts and clusters, and what policies say of workloads, has pages of its own: they know more of it. */}
      <Link to="/posture" {...tab(false)}>
        {t("findings.views.posture")}
        <Figure value={overview?.failedChecks} />
      </Link>
      <Link to="/policies" search={{ view: "running" }} {...tab(false)}>
        {t("findings.views.running")}
        <Figure value={overview?.wouldBeDenied} />
      </Link>
    </Tabs>
  );
}

function Figure({ value }: { value: number | undefined }) {
  const format = useFormat();
  return value === undefined || value === 0 ? null : <span className="num dim">{format.number(value)}</span>;
}
