import { useTranslation } from "react-i18next";
import { Page } from "../../ui/page.tsx";
import { setShortcutsOn, useShortcutsOn } from "../../ui/shortcuts.ts";
import { Switch } from "../../ui/switch.tsx";
import { Account } from "./account.tsx";
import { AgentSettings } from "./agent-settings.tsx";
import { Card } from "./card.tsx";
import { Preferences } from "./preferences.tsx";
import classes from "./settings.module.css";
import { Tokens } from "./tokens.tsx";

export function SettingsPage() {
  const { t } = useTranslation();
  const shortcuts = useShortcutsOn();
  return (
    <Page title={t("settings.title")} scroll>
      <div className={classes.page}>
        <Card title={t("settings.appearance")} text={t("settings.appearanceText")}>
          <Preferences />
          <Switch checked={shortcuts} onChange={setShortcutsOn} label={t("settings.shortcuts")} />
        </Card>
        <Account />
        <Tokens />
        <AgentSettings />
      </div>
    </Page>
  );
}
