import type { Overview } from "@bulwark/contract";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Page } from "../../ui/page.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { AlertHours } from "./alert-hours.tsx";
import { Counts, Fleet } from "./figures.tsx";
import { LatestAlerts } from "./latest-alerts.tsx";
import classes from "./overview.module.css";
import { overviewQuery } from "./overview-query.ts";
import { Panel } from "./panel.tsx";
import { Troubles } from "./troubles.tsx";
import { Welcome } from "./welcome.tsx";
import { WorstImages } from "./worst-images.tsx";

/** How things stand, at a glance. Every figure leads to the list behind it. */
export function OverviewPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(overviewQuery);
  return (
    <Page title={t("nav.overview")} scroll>
      {data ? <Board overview={data} /> : error ? <Failed error={error} retry={() => void refetch()} /> : <Skeleton />}
    </Page>
  );
}

function Board({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const isNew = overview.nodes === 0 && overview.images === 0 && overview.latestAlerts.length === 0;
  // Nothing found is no good news where there is nothing to find with.
  const isBlind = overview.troubles.some(
    ({ id, state }) => id === "advisories" && (state === "off" || state === "failed"),
  );
  return (
    <div className={classes.board}>
      {isNew && <Welcome />}
      <Panel title={t("overview.openAlerts")} area="alerts">
        <Counts counts={overview.openAlerts} page="/alerts" />
      </Panel>
      <Panel title={t("overview.openFindings")} area="findings">
        <Counts
          counts={overview.openFindings}
          page="/findings"
          exploited={overview.exploitedFindings}
          note={isBlind ? t("findings.noDatabase") : undefined}
        />
      </Panel>
      <Panel title={t("overview.fleet")} area="fleet">
        <Fleet overview={overview} />
      </Panel>
      <Panel title={t("overview.hours")} area="hours">
        <AlertHours hours={overview.alertsByHour} />
      </Panel>
      <Panel title={t("overview.latest")} area="latest" more={{ to: "/alerts", text: t("overview.allAlerts") }}>
        <LatestAlerts alerts={overview.latestAlerts} />
      </Panel>
      <Panel title={t("overview.worst")} area="worst" more={{ to: "/assets/images", text: t("overview.allImages") }}>
        <WorstImages images={overview.worstImages} blind={isBlind} />
      </Panel>
      <Panel title={t("overview.troubles")} area="troubles" more={{ to: "/health", text: t("nav.health") }}>
        <Troubles troubles={overview.troubles} />
      </Panel>
    </div>
  );
}

function Skeleton() {
  return (
    <div className={classes.board}>
      {["alerts", "findings", "fleet", "hours", "latest", "worst", "troubles"].map((area) => (
        <div key={area} className={classes.panel} style={{ gridArea: area }}>
          <Lines count={4} />
        </div>
      ))}
    </div>
  );
}
