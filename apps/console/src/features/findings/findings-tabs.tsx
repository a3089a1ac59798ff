import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import classes from "./findings.module.css";
import { findingViews, type FindingView } from "./search.ts";

/** The same findings one by one, by what they are, by package, and over time. */
export function FindingsTabs({ view }: { view: FindingView | undefined }) {
  const { t } = useTranslation();
  return (
    <nav className={classes.tabs} aria-label={t("findings.views.label")}>
      {([undefined, ...findingViews] as const).map((name) => (
        <Link
          key={name ?? "list"}
          to="/findings"
          search={name === undefined ? {} : { view: name, state: "open" }}
          className={classes.tab}
          {...(view === name ? { "data-active": true, "aria-current": "page" as const } : {})}
        >
          {t(`findings.views.${name ?? "list"}`)}
        </Link>
      ))}
    </nav>
  );
}
