import { useTranslation } from "react-i18next";
import { Tag } from "../../ui/page.tsx";
import type { Encryption, Verdict } from "./ends.ts";
import classes from "./network.module.css";

const locks: Record<Exclude<Encryption, "unknown">, string> = {
  all: "M2.500 5.500h7v5h-7zM4 5.500V4a2 2 0 0 1 4 0v1.500",
  some: "M2.500 5.500h7v5h-7zM4 5.500V4a2 2 0 0 1 4 0v1.500",
  clear: "M2.500 5.500h7v5h-7zM4 5.500V3.500a2 2 0 0 1 3.900-.6",
  credential: "M6 1.500l5 9.200H1zM6 5v2.500M6 9v.1",
};

/** A closed lock, one that is half closed, an open one, a warning. */
export function EncryptionGlyph({ value, x = 0, y = 0 }: { value: Encryption; x?: number; y?: number }) {
  if (value === "unknown") return null;
  return (
    <svg
      x={x}
      y={y}
      width={12}
      height={12}
      viewBox="0 0 12 12"
      className={classes.lock}
      data-encryption={value}
      aria-hidden="true"
      focusable="false"
    >
      <path d={locks[value]} />
    </svg>
  );
}

export function EncryptionMark({ value }: { value: Encryption }) {
  const { t } = useTranslation();
  return (
    <span className={classes.mark} data-encryption={value}>
      <EncryptionGlyph value={value} />
      <span className={value === "unknown" ? "dim" : undefined}>{t(`network.encryptions.${value}`)}</span>
    </span>
  );
}

/** A piece of the line that means it. */
export function VerdictLine({ value }: { value: "denied" | "part" | "allowed" | "unjudged" | "would" }) {
  return (
    <svg width={22} height={8} viewBox="0 0 22 8" aria-hidden="true" focusable="false" className={classes.links}>
      <path d="M1 4h20" className={classes.line} data-verdict={value} strokeWidth={2} />
    </svg>
  );
}

export function VerdictMark({ value }: { value: Verdict }) {
  const { t } = useTranslation();
  return (
    <span className={classes.mark}>
      <VerdictLine value={value} />
      <span className={value === "unjudged" ? "dim" : undefined}>{t(`network.verdicts.${value}`)}</span>
    </span>
  );
}

export function NewTag() {
  const { t } = useTranslation();
  return <Tag tone="info">{t("network.new")}</Tag>;
}
