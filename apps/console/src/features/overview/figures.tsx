import type { Overview } from "@bulwark/contract";
import type { Severity } from "@bulwark/model";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { severities } from "../../search.ts";
import { useFormat } from "../../ui/format.ts";
import { FlameIcon } from "../../ui/icons.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import classes from "./overview.module.css";

interface CountsProps {
  counts: Record<Severity, number>;
  /** The list that the figures lead to. */
  page: "/alerts" | "/findings";
  exploited?: number;
  /** What to know about the sum. */
  note?: string | undefined;
}

/** A sum and its parts by severity. */
export function Counts({ counts, page, exploited, note }: CountsProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = severities.reduce((sum, severity) => sum + counts[severity], 0);
  const largest = Math.max(...severities.map((severity) => counts[severity]), 1);
  const shown = severities.filter((severity, index) => index < 4 || counts[severity] > 0);
  return (
    <div className={classes.counts}>
      <div className={classes.sum}>
        <Link
          to={page}
          search={{ state: "open" }}
          className={classes.total}
          aria-label={t("overview.total", { count: total })}
        >
          {format.number(total)}
        </Link>
        {note !== undefined && <p className={classes.blind}>{note}</p>}
        {exploited !== undefined && (
          <Link
            to="/findings"
            search={{ state: "open", exploited: true }}
            className={exploited > 0 ? classes.exploited : classes.calm}
            title={t("finding.exploitedLong")}
          >
            <FlameIcon size={13} />
            {t("overview.exploited", { count: exploited, text: format.number(exploited) })}
          </Link>
        )}
      </div>
      <ul className={classes.bySeverity}>
        {shown.map((severity) => (
          <li key={severity}>
            <Link
              to={page}
              search={{ state: "open", severity: [severity] }}
              className={classes.severityRow}
              data-none={counts[severity] === 0}
            >
              <SeverityMark value={severity} />
              <span className={classes.track} aria-hidden="true">
                <span
                  className={classes.fill}
                  style={{
                    width: counts[severity] === 0 ? 0 : `max(3px, ${(100 * counts[severity]) / largest}%)`,
                    background: `var(--${severity})`,
                  }}
                />
              </span>
              <span className={classes.count}>{format.number(counts[severity])}</span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Fleet({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const { containers, images, nodes, failedChecks, wouldBeDenied } = overview;
  return (
    <ul className={classes.fleet}>
      <li>
        <Link to="/assets/containers" search={{ state: "running" }} className={classes.figure}>
          <Figure value={containers.running} text={t("overview.running")} />
        </Link>
      </li>
      <li>
        <Link to="/assets/containers" search={{ state: "running", privileged: true }} className={classes.figure}>
          <Figure value={containers.privileged} text={t("overview.privileged")} bad={containers.privileged > 0} />
        </Link>
      </li>
      <li>
        <Link to="/assets/images" className={classes.figure}>
          <Figure value={images} text={t("assets.images")} />
        </Link>
      </li>
      <li>
        <Link to="/health" className={classes.figure}>
          <Figure value={nodes} text={t("overview.nodes")} />
        </Link>
      </li>
      <li>
        <Link to="/posture" className={classes.figure}>
          <Figure value={failedChecks} text={t("overview.failedChecks")} bad={failedChecks > 0} />
        </Link>
      </li>
      <li>
        <Link to="/policies" search={{ view: "running", verdict: "denied" }} className={classes.figure}>
          <Figure value={wouldBeDenied} text={t("overview.wouldBeDenied")} bad={wouldBeDenied > 0} />
        </Link>
      </li>
    </ul>
  );
}

function Figure({ value, text, bad = false }: { value: number; text: string; bad?: boolean }) {
  const format = useFormat();
  return (
    <>
      <span className={classes.value} data-bad={bad}>
        {format.number(value)}
      </span>
      <span className={classes.what}>{text}</span>
    </>
  );
}
