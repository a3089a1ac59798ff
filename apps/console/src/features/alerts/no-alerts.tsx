import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { BellIcon, CheckIcon } from "../../ui/icons.tsx";
import { Empty } from "../../ui/states.tsx";

export function NoAlerts({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  const { t } = useTranslation();
  if (filtered) {
    return (
      <Empty icon={<CheckIcon size={20} />} title={t("alerts.noneHere")} text={t("alerts.noneHereText")}>
        <Button variant="default" onClick={clear}>
          {t("filter.clear")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={<BellIcon size={20} />} title={t("alerts.none")} text={t("alerts.noneText")}>
      <Link to="/health">{t("alerts.noneHealth")}</Link>
    </Empty>
  );
}
