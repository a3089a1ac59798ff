import type { Finding } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { Exact } from "../../ui/time.tsx";
import classes from "./findings.module.css";

type Items = [name: string, value: React.ReactNode][];

/** What is known of a finding of any kind. */
export function FindingFacts({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const items = useKindFacts(finding);
  return (
    <Facts
      items={[
        ...items,
        [t("finding.firstSeen"), <Exact key="first" time={finding.firstSeen} />],
        [t("finding.lastSeen"), <Exact key="last" time={finding.lastSeen} />],
      ]}
    />
  );
}

function useKindFacts(finding: Finding): Items {
  const { t } = useTranslation();
  const format = useFormat();
  switch (finding.kind) {
    case "vulnerability": {
      const { vulnerability } = finding;
      const published = vulnerability.published === null ? Number.NaN : Date.parse(vulnerability.published);
      return [
        [t("field.package"), <Raw key="package" text={vulnerability.package} />],
        [t("field.source"), <Raw key="source" text={vulnerability.source} />],
        [t("finding.purl"), <Raw key="purl" text={vulnerability.purl} />],
        [t("finding.vector"), vulnerability.cvss && <Raw key="vector" text={vulnerability.cvss.vector} />],
        [
          t("finding.aliases"),
          vulnerability.aliases.length > 0 && (
            <Raw key="aliases" text={vulnerability.aliases.join(", ")} mono={false} />
          ),
        ],
        [t("finding.published"), Number.isNaN(published) ? null : format.day(published)],
        [t("finding.feed"), <code key="feed">{vulnerability.feed}</code>],
      ];
    }
    case "secret": {
      const { kind, masked, line, removed } = finding.secret;
      return [
        [t("finding.masked"), <Raw key="masked" text={masked} />],
        [t("finding.line"), line],
        [t("finding.removed"), removed && t("finding.removedText")],
        [t("field.rule"), <code key="rule">{kind}</code>],
      ];
    }
    case "malware": {
      const { rule, sha256, engine, techniques, evidence } = finding.malware;
      return [
        [t("field.rule"), <code key="rule">{rule}</code>],
        [t("finding.engine"), t(`finding.engines.${engine}`)],
        ["SHA-256", <Raw key="sha256" text={sha256} />],
        ["ATT&CK", techniques.join(", ")],
        [t("finding.evidence"), evidence.length > 0 && <Evidence key="evidence" lines={evidence} />],
      ];
    }
    case "misconfiguration": {
      const { check, evidence } = finding.misconfiguration;
      const lines = evidence.map(({ key, value }) => `${key}: ${value}`);
      return [
        [t("finding.check"), <code key="check">{check}</code>],
        [t("finding.evidence"), lines.length > 0 && <Evidence key="evidence" lines={lines} />],
      ];
    }
  }
}

function Evidence({ lines }: { lines: string[] }) {
  return (
    <ul className={classes.evidence}>
      {lines.map((line) => (
        <li key={line}>
          <Raw text={line} limit={300} />
        </li>
      ))}
    </ul>
  );
}

/** Where it is in the image, and which layer and build step brought it. */
export function FindingPlace({ finding: { locations, layer, step, origin } }: { finding: Finding }) {
  const { t } = useTranslation();
  return (
    <Facts
      items={[
        [
          t("finding.files"),
          locations.length > 0 && (
            <ul key="files" className={classes.locations}>
              {locations.map((path) => (
                <li key={path}>
                  <Raw text={path} />
                </li>
              ))}
            </ul>
          ),
        ],
        [t("finding.layer"), layer !== null && <Raw key="layer" text={layer} />],
        [
          t("finding.step"),
          step !== null && (
            <span key="step" className={classes.step}>
              <Raw text={step} limit={600} />
            </span>
          ),
        ],
        [t("finding.origin"), origin !== null && t(`finding.origins.${origin}`)],
      ]}
    />
  );
}
