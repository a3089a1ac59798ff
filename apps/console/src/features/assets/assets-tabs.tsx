import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import classes from "./assets.module.css";

/** Containers or images: two lists under one name. */
export function AssetTabs() {
  const { t } = useTranslation();
  return (
    <nav className={classes.tabs} aria-label={t("assets.title")}>
      <Link
        to="/assets/containers"
        className={classes.tab}
        activeProps={{ "data-active": true }}
        activeOptions={{ includeSearch: false }}
      >
        {t("assets.containers")}
      </Link>
      <Link
        to="/assets/images"
        className={classes.tab}
        activeProps={{ "data-active": true }}
        activeOptions={{ includeSearch: false }}
      >
        {t("assets.images")}
      </Link>
    </nav>
  );
}
