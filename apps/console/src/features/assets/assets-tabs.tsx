import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import classes from "./assets.module.css";

const tabs = [
  ["/assets/containers", "assets.containers"],
  ["/assets/images", "assets.images"],
  ["/assets/scans", "scans.title"],
  ["/assets/registries", "registries.title"],
] as const;

/** Containers, images, how images are looked into, and where else there are some: lists under one name. */
export function AssetTabs() {
  const { t } = useTranslation();
  return (
    <nav className={classes.tabs} aria-label={t("assets.title")}>
      {tabs.map(([to, name]) => (
        <Link
          key={to}
          to={to}
          className={classes.tab}
          activeProps={{ "data-active": true }}
          activeOptions={{ includeSearch: false }}
        >
          {t(name)}
        </Link>
      ))}
    </nav>
  );
}
