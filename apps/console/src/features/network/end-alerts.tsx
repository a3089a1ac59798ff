import type { ListedEnd } from "@bulwark/model";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useKnown } from "../../i18n/known.ts";
import { Section } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityGlyph } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { whereOf } from "../alerts/texts.ts";
import { ownName } from "./ends.ts";
import classes from "./network.module.css";

const few = 5;

/** The latest alerts about the workloads of an edge. */
export function EndAlerts({ ends }: { ends: readonly ListedEnd[] }) {
  const { t } = useTranslation();
  const known = useKnown();
  const workloads = ends.filter(({ workload }) => workload !== null);
  const answers = useQueries({
    queries: workloads.map((end) => ({
      queryKey: ["alerts-of-end", end.cluster, end.key],
      queryFn: async () => api.listAlerts({ query: { q: ownName(end), limit: 20 } }),
    })),
  });
  if (workloads.length === 0) return null;
  const failed = answers.find(({ error }) => error !== null);
  // The search is for a text: what is of another namespace is not meant.
  const alerts = answers.flatMap(({ data }, index) => {
    const namespace = workloads[index]?.workload?.namespace;
    return (data?.items ?? []).filter(({ container }) => (container?.pod?.namespace ?? "") === namespace);
  });
  const unique = [...new Map(alerts.map((alert) => [alert.id, alert])).values()].sort((a, b) => b.time - a.time);
  return (
    <Section
      title={t("network.alertsOf")}
      aside={
        workloads[0] && (
          <Link to="/alerts" search={{ q: ownName(workloads[0]) }}>
            {t("container.allAlerts")}
          </Link>
        )
      }
    >
      {failed ? (
        <Failed error={failed.error} retry={() => void failed.refetch()} />
      ) : answers.some(({ isPending }) => isPending) ? (
        <Lines count={2} />
      ) : unique.length === 0 ? (
        <p className="dim">{t("container.noAlerts")}</p>
      ) : (
        <div className={classes.rows}>
          {unique.slice(0, few).map((alert) => (
            <Link key={alert.id} to="/alerts" search={{ id: alert.id }} className={classes.row}>
              <SeverityGlyph value={alert.severity} />
              <span className="hidden-text">{t(`severity.${alert.severity}`)}</span>
              <span className={classes.two}>
                <Line text={known.rule(alert.rule, "title", alert.title)} />
                <span className="cut dim">
                  <Line text={whereOf(alert)} />
                </span>
              </span>
              <span className={`dim ${classes.rowEnd}`}>
                <Ago time={alert.time} />
              </span>
            </Link>
          ))}
        </div>
      )}
    </Section>
  );
}
