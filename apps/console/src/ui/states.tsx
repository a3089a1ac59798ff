import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client.ts";
import { AlertIcon, RefreshIcon } from "./icons.tsx";
import classes from "./states.module.css";

interface EmptyProps {
  icon: ReactNode;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
}

/** Nothing to show, and what to do about it. */
export function Empty({ icon, title, text, children }: EmptyProps) {
  return (
    <div className={classes.state}>
      <span className={classes.icon}>{icon}</span>
      <p className={classes.title}>{title}</p>
      {text && <p className={classes.text}>{text}</p>}
      {children && <div className={classes.actions}>{children}</div>}
    </div>
  );
}

/** Something could not be fetched: what, what would mend it, and another try. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const { title, remedy } = useProblem(error);
  return (
    <div className={classes.state} role="alert">
      <span className={`${classes.icon} ${classes.bad}`}>
        <AlertIcon size={20} />
      </span>
      <p className={classes.title}>{title}</p>
      {remedy !== "" && <p className={classes.text}>{remedy}</p>}
      {retry && (
        <div className={classes.actions}>
          <Button variant="default" leftSection={<RefreshIcon size={14} />} onClick={retry}>
            {t("state.retry")}
          </Button>
        </div>
      )}
    </div>
  );
}

export function useProblem(error: unknown): { title: string; remedy: string } {
  const { t } = useTranslation();
  if (!(error instanceof ApiError)) return { title: t("state.unreachable"), remedy: t("state.unreachableRemedy") };
  const { message, remedy } = error.problem;
  if (error.status === 404) return { title: t("state.gone"), remedy: t("state.goneRemedy") };
  return { title: message, remedy: remedy ?? "" };
}

/** Grey lines where text will be. */
export function Lines({ count = 4, height = 14 }: { count?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <div className={classes.lines} role="status">
      <span className="hidden-text">{t("state.loading")}</span>
      {Array.from({ length: count }, (_, index) => (
        <span key={`line${index}`} className={classes.line} style={{ height, width: `${92 - ((index * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
