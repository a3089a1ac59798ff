import { useTranslation } from "react-i18next";
import { Command } from "../../ui/copy.tsx";
import classes from "./overview.module.css";

/** What to do when nothing reports yet. */
export function Welcome() {
  const { t } = useTranslation();
  return (
    <section className={classes.welcome} style={{ gridArea: "welcome" }}>
      <h2>{t("welcome.title")}</h2>
      <p className="dim">{t("welcome.text")}</p>
      <ol>
        <li>
          {t("welcome.local")} <Command text="bulwark up" />
        </li>
        <li>
          {t("welcome.remote")} <Command text="bulwark join NODE" />
        </li>
      </ol>
    </section>
  );
}
