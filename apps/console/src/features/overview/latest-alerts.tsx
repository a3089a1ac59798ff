import type { StoredAlert } from "@bulwark/model";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { Line } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Ago } from "../../ui/time.tsx";
import { AlertStateTag } from "../alerts/alert-state.tsx";
import { summaryOf } from "../alerts/texts.ts";
import classes from "./overview.module.css";

export function LatestAlerts({ alerts }: { alerts: StoredAlert[] }) {
  const { t } = useTranslation();
  const known = useKnown();
  if (alerts.length === 0) return <p className={classes.nothing}>{t("overview.noAlerts")}</p>;
  return (
    <ul>
      {alerts.map((alert) => (
        <li key={alert.id}>
          <Link to="/alerts" search={{ id: alert.id }} className={classes.line}>
            <span className={classes.mark}>
              <SeverityMark value={alert.severity} />
            </span>
            <span className={classes.lineText}>
              <span className={`cut ${classes.strong}`}>
                <Line text={known.rule(alert.rule, "title", alert.title)} />
              </span>
              <span className={`dim ${classes.lineNote}`}>
                <Line text={summaryOf(alert)} />
              </span>
            </span>
            <span className={classes.lineState}>
              <AlertStateTag state={alert.state} />
            </span>
            <span className={`dim ${classes.lineEnd}`}>
              <Ago time={alert.time} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
