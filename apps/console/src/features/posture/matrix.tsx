import type { BenchmarkCheckRow } from "@bulwark/contract";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Count } from "./parts.tsx";
import classes from "./posture.module.css";
import { answerers } from "./search.ts";

/** Who answers for what: topics down, platform and customer across, with the clauses of other standards. */
export function Matrix({ rows }: { rows: readonly BenchmarkCheckRow[] }) {
  const { t } = useTranslation();
  const topics = useMemo(() => [...Map.groupBy(rows, ({ topic }) => topic)], [rows]);
  const standards = ["nsa-cisa", "attack", "pci-dss", "mlps"] as const;
  return (
    // What scrolls must be reachable by keyboard even where nothing in it can have the focus.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={t("posture.matrix")}>
      <table className={classes.matrix}>
        <thead>
          <tr>
            <th scope="col">{t("posture.topic")}</th>
            {answerers.map((who) => (
              <th key={who} scope="col">
                {t(`posture.answerer.${who}`)}
              </th>
            ))}
            {standards.map((standard) => (
              <th key={standard} scope="col">
                {t(`posture.standard.${standard}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {topics.map(([topic, checks]) => (
            <tr key={topic}>
              <th scope="row">{topic}</th>
              {answerers.map((who) => (
                <td key={who}>
                  <Held checks={checks.filter(({ answers }) => answers === who)} />
                </td>
              ))}
              {standards.map((standard) => (
                <td key={standard} className="dim">
                  {[...new Set(checks.flatMap(({ clauses }) => clauses[standard] ?? []))].join(", ")}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Held({ checks }: { checks: readonly BenchmarkCheckRow[] }) {
  const { t } = useTranslation();
  if (checks.length === 0) return <span className="dim">–</span>;
  const failing = checks.filter(({ counts }) => counts.fail > 0).length;
  return (
    <>
      {t("posture.checksOf", { count: checks.length })}
      {failing > 0 && (
        <>
          {", "}
          <Count value={failing} bad /> {t("checkState.fail")}
        </>
      )}
    </>
  );
}
