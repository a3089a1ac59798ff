import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { EncryptionGlyph, VerdictLine } from "./marks.tsx";
import classes from "./network.module.css";

/** What the lines and signs of the map mean. */
export function Legend({ whatIf, children }: { whatIf: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className={classes.legend}>
      {whatIf && (
        <span>
          <VerdictLine value="would" />
          {t("network.wouldDeny")}
        </span>
      )}
      {(["allowed", "denied", "part", "unjudged"] as const).map((value) => (
        <span key={value}>
          <VerdictLine value={value} />
          {t(`network.linkVerdicts.${value}`)}
        </span>
      ))}
      {(["all", "clear", "credential"] as const).map((value) => (
        <span key={value}>
          <EncryptionGlyph value={value} />
          {t(`network.encryptions.${value}`)}
        </span>
      ))}
      <span>
        <svg width={9} height={9} aria-hidden="true" focusable="false">
          <circle cx={4.5} cy={4.5} r={3.5} className={classes.newDot} />
        </svg>
        {t("network.new")}
      </span>
      {children}
    </div>
  );
}
