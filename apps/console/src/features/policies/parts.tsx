import type { PolicyRow } from "@bulwark/contract";
import type { AdmissionOutcome, RunningVerdict } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { useFormat, useNow } from "../../ui/format.ts";
import { Tag } from "../../ui/page.tsx";
import classes from "./policies.module.css";

const modeTones = { observe: "info", warn: "warn", enforce: "good" } as const;

/** How a policy is in force. One whose day has not come observes until then, and says so. */
export function ModeTag({ setting }: { setting: PolicyRow["setting"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  if (setting === null) return <Tag>{t("policy.modes.off")}</Tag>;
  const { mode, from } = setting;
  if (from === null || from <= now || mode === "observe")
    return <Tag tone={modeTones[mode]}>{t(`policy.modes.${mode}`)}</Tag>;
  return (
    <span
      className={classes.mode}
      title={t("policy.later", { mode: t(`policy.modes.${mode}`), day: format.exact(from) })}
    >
      <Tag tone="info">{t("policy.modes.observe")}</Tag>
      <span className="dim cut">{t("policy.until", { day: format.day(from) })}</span>
    </span>
  );
}

const outcomeTones = {
  denied: "bad",
  warned: "warn",
  observed: "info",
  changed: "info",
  bypassed: "bad",
  missed: "warn",
  allowed: "good",
} as const satisfies Record<AdmissionOutcome, string>;

export function OutcomeTag({ value }: { value: AdmissionOutcome }) {
  const { t } = useTranslation();
  return <Tag tone={outcomeTones[value]}>{t(`policy.outcomes.${value}`)}</Tag>;
}

const verdictTones = { denied: "bad", noted: "info", unknown: "warn" } as const;

export function VerdictTag({ value }: { value: RunningVerdict }) {
  const { t } = useTranslation();
  return <Tag tone={verdictTones[value]}>{t(`policy.verdicts.${value}`)}</Tag>;
}

/** What a policy finds in what runs; a dash where nobody has looked. */
export function Found({ running }: Pick<PolicyRow, "running">) {
  const { t } = useTranslation();
  const format = useFormat();
  if (running === null) return <span className="dim">–</span>;
  const { denied, noted, unknown, dropped } = running;
  const found = denied + noted;
  return (
    <span className="num" title={t("policy.found", { denied, noted, unknown })}>
      <span className={found === 0 ? "dim" : classes.bad}>
        {format.number(found)}
        {dropped > 0 && "+"}
      </span>
      {unknown > 0 && <span className="dim"> ?{format.number(unknown)}</span>}
    </span>
  );
}

/** Decisions of the last day but those that let everything through. */
export function decisionsOf({ decisions }: Pick<PolicyRow, "decisions">): number {
  return Object.values(decisions).reduce((sum, count) => sum + count, 0);
}

/** `shop/web`; the name alone of what is in no namespace. */
export function placeOf({ namespace, name }: { namespace: string; name: string }): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
