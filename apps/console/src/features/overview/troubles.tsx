import type { Component } from "@bulwark/model";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { CheckIcon } from "../../ui/icons.tsx";
import { Line } from "../../ui/raw.tsx";
import { StateMark } from "../health/state-mark.tsx";
import classes from "./overview.module.css";

const most = 6;

export function Troubles({ troubles }: { troubles: Component[] }) {
  const { t } = useTranslation();
  const known = useKnown();
  if (troubles.length === 0) {
    return (
      <p className={`${classes.nothing} ${classes.well}`}>
        <CheckIcon size={15} /> {t("overview.noTroubles")}
      </p>
    );
  }
  return (
    <ul>
      {troubles.slice(0, most).map((trouble) => (
        <li key={`${trouble.node}/${trouble.id}`}>
          <Link to="/health" className={classes.line}>
            <span className={classes.mark}>
              <StateMark state={trouble.state} />
            </span>
            <span className={classes.lineText}>
              <span className={`cut ${classes.strong}`}>
                {known.component(trouble.id)} <span className="dim">{trouble.node}</span>
              </span>
              <span className={`dim ${classes.lineNote}`}>
                <Line text={trouble.reason} />
              </span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
