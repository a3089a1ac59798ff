import type { FindingState, Vulnerability } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { FlameIcon } from "../../ui/icons.tsx";
import { Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import classes from "./findings.module.css";

export function ExploitedTag() {
  const { t } = useTranslation();
  return (
    <span title={t("finding.exploitedLong")}>
      <Tag tone="bad">
        <FlameIcon size={11} />
        KEV
      </Tag>
    </span>
  );
}

const tones = { open: "warn", deferred: "plain", fixed: "good" } as const;

export function FindingStateTag({ state }: { state: FindingState }) {
  const { t } = useTranslation();
  return <Tag tone={tones[state]}>{t(`findingState.${state}`)}</Tag>;
}

/** Installed version → first version without the weakness. */
export function FixedIn({ vulnerability }: { vulnerability: Vulnerability }) {
  const { t } = useTranslation();
  const { version, fixedVersion, state } = vulnerability;
  return (
    <span className={classes.versions}>
      <Line mono text={version} />
      <span className="dim" aria-hidden="true">
        →
      </span>
      {fixedVersion === null ? (
        <span className="dim">{t(`fixState.${state}`)}</span>
      ) : (
        <span className={`cut ${classes.fixed}`}>
          <Line mono text={fixedVersion} />
        </span>
      )}
    </span>
  );
}
