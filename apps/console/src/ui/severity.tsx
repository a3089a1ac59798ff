import type { Severity } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { severities } from "../search.ts";
import { useFormat } from "./format.ts";
import classes from "./severity.module.css";

/** A sign of its own shape for each severity, so that it can be told without its colour. */
export function SeverityGlyph({ value, size = 14 }: { value: Severity; size?: number }) {
  return (
    <svg className={classes[value]} width={size} height={size} viewBox="0 0 14 14" aria-hidden="true" focusable="false">
      {glyphs[value]}
    </svg>
  );
}

const bars = [
  [1.5, 8.5, 4],
  [5.5, 5, 7.5],
  [9.5, 1.5, 11],
] as const;

function barGlyph(filled: number) {
  return bars.map(([x, y, height], index) => (
    <rect
      key={x}
      x={x}
      y={y}
      width={3}
      height={height}
      rx={1}
      fill="currentColor"
      opacity={index < filled ? 1 : 0.25}
    />
  ));
}

const glyphs = {
  critical: (
    <>
      <rect x={0.5} y={0.5} width={13} height={13} rx={3} fill="currentColor" />
      <path d="M7 3.5v4M7 10.200v.1" stroke="var(--surface)" strokeWidth={1.8} strokeLinecap="round" />
    </>
  ),
  high: barGlyph(3),
  medium: barGlyph(2),
  low: barGlyph(1),
  negligible: <path d="M2.500 7h9" stroke="currentColor" strokeWidth={2} strokeLinecap="round" />,
  unknown: (
    <path
      d="M4.600 5a2.400 2.400 0 1 1 3.600 2.100c-.8.500-1.200.900-1.200 1.700M7 11.400v.1"
      stroke="currentColor"
      strokeWidth={1.6}
      strokeLinecap="round"
      fill="none"
    />
  ),
} satisfies Record<Severity, React.ReactNode>;

export function SeverityMark({ value, soft = false }: { value: Severity; soft?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className={`${classes.mark} ${soft ? `${classes.soft} ${classes[`${value}Soft`] ?? ""}` : ""}`}>
      <SeverityGlyph value={value} />
      <span className={classes[value]}>{t(`severity.${value}`)}</span>
    </span>
  );
}

/** Counts by severity as one line of proportions, with the worst ones in figures. */
export function SeverityBar({ counts }: { counts: Record<Severity, number> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const present = severities.filter((value) => counts[value] > 0);
  if (present.length === 0) return <span className={classes.none}>{t("severity.none")}</span>;
  const label = present.map((value) => `${t(`severity.${value}`)} ${format.number(counts[value])}`).join(", ");
  const total = present.reduce((sum, value) => sum + counts[value], 0);
  return (
    <span className={classes.counts} title={label}>
      <span className="hidden-text">{label}</span>
      <span className={classes.bar} aria-hidden="true">
        {present.map((value) => (
          <span
            key={value}
            className={`${classes.part} ${classes[`${value}Fill`] ?? ""}`}
            style={{ flexGrow: Math.max(counts[value] / total, 0.04) }}
          />
        ))}
      </span>
      <span className={classes.figures} aria-hidden="true">
        {present.slice(0, 3).map((value) => (
          <span key={value} className={`${classes.figure} ${classes[value] ?? ""}`}>
            <SeverityGlyph value={value} size={10} />
            {format.number(counts[value])}
          </span>
        ))}
      </span>
    </span>
  );
}
