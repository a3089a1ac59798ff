import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { SearchIcon } from "../ui/icons.tsx";
import { Page } from "../ui/page.tsx";
import { Empty } from "../ui/states.tsx";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Page title={t("notFound.title")} scroll>
      <Empty icon={<SearchIcon size={20} />} title={t("notFound.text")}>
        <Link to="/">{t("notFound.home")}</Link>
      </Empty>
    </Page>
  );
}
