import type { ComponentState } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import classes from "./health.module.css";

const paths = {
  ok: "M4 8.500l2.600 2.600L12 5.600",
  degraded: "M8 4v5M8 11.600v.1",
  failed: "M5 5l6 6M11 5l-6 6",
  off: "M4.500 8h7",
} satisfies Record<ComponentState, string>;

/** A sign and a word for each state. */
export function StateMark({ state }: { state: ComponentState }) {
  const { t } = useTranslation();
  return (
    <span className={classes.mark} data-state={state}>
      <svg width={16} height={16} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <circle cx={8} cy={8} r={7.5} fill="currentColor" />
        <path d={paths[state]} fill="none" stroke="var(--surface)" strokeWidth={1.8} strokeLinecap="round" />
      </svg>
      {t(`componentState.${state}`)}
    </span>
  );
}
