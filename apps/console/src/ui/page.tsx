import { ActionIcon } from "@mantine/core";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { CloseIcon } from "./icons.tsx";
import classes from "./page.module.css";
import { useShortcuts } from "./shortcuts.ts";

interface PageProps {
  title: string;
  /** Beside the title. */
  aside?: ReactNode;
  /** A line under the title: filters. */
  bar?: ReactNode;
  children: ReactNode;
  /** Scrolls as a whole; else its parts do. */
  scroll?: boolean;
}

export function Page({ title, aside, bar, children, scroll = false }: PageProps) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t("app.name")}`;
  }, [title, t]);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <h1 className={classes.title}>{title}</h1>
        {aside}
      </header>
      {bar}
      {scroll ? (
        // What scrolls must be reachable by keyboard even where nothing in it can have the focus.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className={classes.scroll} tabIndex={0} role="region" aria-label={title}>
          {children}
        </div>
      ) : (
        <div className={classes.body}>{children}</div>
      )}
    </div>
  );
}

/** A list with its filters above it; a detail stands beside it. */
export function Pane({ children }: { children: ReactNode }) {
  return <div className={classes.pane}>{children}</div>;
}

interface DetailProps {
  label: string;
  title: ReactNode;
  onClose: () => void;
  actions?: ReactNode;
  children: ReactNode;
}

/** The panel beside a list; over it where the screen is narrow. */
export function Detail({ label, title, onClose, actions, children }: DetailProps) {
  const { t } = useTranslation();
  const heading = useId();
  const panel = useRef<HTMLElement>(null);
  useShortcuts({ Escape: onClose });
  useEffect(() => {
    // Where it covers the list, the keyboard goes with it.
    if (panel.current && getComputedStyle(panel.current).position === "fixed") panel.current.focus();
  }, []);
  return (
    <aside className={classes.detail} aria-labelledby={heading} ref={panel} tabIndex={-1}>
      <header className={classes.detailHeader}>
        <span className={classes.kind}>{label}</span>
        <span className={classes.actions}>{actions}</span>
        <ActionIcon aria-label={t("detail.close")} onClick={onClose}>
          <CloseIcon size={16} />
        </ActionIcon>
      </header>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={classes.detailBody} tabIndex={0} role="region" aria-labelledby={heading}>
        <h2 className={classes.detailTitle} id={heading}>
          {title}
        </h2>
        {children}
      </div>
    </aside>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h3 className={classes.sectionTitle}>
        <span>{title}</span>
        {aside}
      </h3>
      {children}
    </section>
  );
}

/** Names and values, aligned. Values that are not there are left out. */
export function Facts({ items }: { items: [name: string, value: ReactNode][] }) {
  const shown = items.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return (
    <dl className={classes.facts}>
      {shown.map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Tag({
  children,
  tone = "plain",
}: {
  children: ReactNode;
  tone?: "plain" | "bad" | "warn" | "good" | "info";
}) {
  return (
    <span className={classes.tag} data-tone={tone}>
      {children}
    </span>
  );
}
