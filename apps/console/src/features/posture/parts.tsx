import type { StateCounts } from "@bulwark/contract";
import type { CheckState } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Tag } from "../../ui/page.tsx";
import classes from "./posture.module.css";

const tones = { pass: "good", fail: "bad", unknown: "warn", "not-applicable": "plain" } as const;

export function CheckStateTag({ state, excepted = false }: { state: CheckState; excepted?: boolean }) {
  const { t } = useTranslation();
  if (excepted) return <Tag tone="info">{t("posture.excepted")}</Tag>;
  return <Tag tone={tones[state]}>{t(`checkState.${state}`)}</Tag>;
}

/** The worst of the counts as a word: one that fails is a failure. */
export function worstOf({ fail, unknown, pass, excepted }: StateCounts): { state: CheckState; excepted: boolean } {
  if (fail > 0) return { state: "fail", excepted: false };
  if (unknown > 0) return { state: "unknown", excepted: false };
  if (pass > 0) return { state: "pass", excepted: false };
  return excepted > 0 ? { state: "fail", excepted: true } : { state: "not-applicable", excepted: false };
}

/** How much holds, as a number and a bar. */
export function Rate({ rate }: { rate: number | null }) {
  const { t } = useTranslation();
  if (rate === null) return <span className="dim">{t("posture.noRate")}</span>;
  // Nothing that fails is rounded up to all.
  const percent = Math.floor(rate * 100);
  return (
    <span className={classes.rate}>
      <span className={classes.track} aria-hidden="true">
        <span className={classes.fill} style={{ width: `${percent}%` }} />
      </span>
      <span className="num">{t("posture.percent", { percent })}</span>
    </span>
  );
}

export function Count({ value, bad = false }: { value: number; bad?: boolean }) {
  const format = useFormat();
  const tone = value === 0 ? "dim" : bad ? classes.bad : "";
  return <span className={`num ${tone}`}>{format.number(value)}</span>;
}
