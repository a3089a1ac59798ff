import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { tab, Tabs } from "../../ui/tabs.tsx";

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
    <Tabs label={t("assets.title")}>
      {tabs.map(([to, name]) => (
        <Link
          key={to}
          to={to}
          {...tab(false)}
          activeProps={{ "data-active": true }}
          activeOptions={{ includeSearch: false }}
        >
          {t(name)}
        </Link>
      ))}
    </Tabs>
  );
}
