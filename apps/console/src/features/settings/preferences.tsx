import { SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { languages, setLanguage, type Language } from "../../i18n/index.ts";
import classes from "./preferences.module.css";

/** Language and colours: this browser's own, kept in it. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <div className={classes.row}>
      <SegmentedControl
        size="xs"
        aria-label={t("settings.language")}
        value={i18n.language}
        data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
        onChange={(value) => void setLanguage(value as Language)}
      />
      <SegmentedControl
        size="xs"
        aria-label={t("settings.theme")}
        value={colorScheme}
        data={(["auto", "light", "dark"] as const).map((value) => ({ value, label: t(`settings.themes.${value}`) }))}
        onChange={(value) => setColorScheme(value)}
      />
    </div>
  );
}
