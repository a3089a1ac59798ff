import type { ActionRecord, ContainerRef, StoredAlert } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Section, Tag } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { Failed, Lines, useProblem } from "../../ui/states.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import { ActDialog } from "./act-dialog.tsx";
import classes from "./alerts.module.css";
import { Outcome } from "./outcome.tsx";

/** What was done to the container of an alert, and what else can be. */
export function AlertResponse({ alert, container }: { alert: StoredAlert; container: ContainerRef }) {
  const { t } = useTranslation();
  const [acting, setActing] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["actions-of", container.id],
    queryFn: async () => api.listActions({ query: { container: container.id, limit: 20 } }),
  });
  return (
    <Section title={t("response.title")}>
      {error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : data ? (
        <History actions={data.items} />
      ) : (
        <Lines count={2} />
      )}
      <div className={classes.buttons}>
        <Button variant="default" onClick={() => setActing(true)}>
          {t("response.act")}
        </Button>
      </div>
      {acting && <ActDialog alert={alert} container={container} close={() => setActing(false)} />}
    </Section>
  );
}

const tones = {
  ordered: "info",
  "dry-run": "plain",
  done: "good",
  undone: "plain",
  refused: "warn",
  failed: "bad",
  expired: "bad",
} as const;

function History({ actions }: { actions: ActionRecord[] }) {
  const { t } = useTranslation();
  if (actions.length === 0) return <p className="dim">{t("response.none")}</p>;
  return (
    <ul className={classes.actions}>
      {actions.map((action) => (
        <Entry key={action.id} record={action} />
      ))}
    </ul>
  );
}

function Entry({ record }: { record: ActionRecord }) {
  const { t } = useTranslation();
  const { action, by, counts, state, time, until } = record;
  return (
    <li className={classes.action}>
      <span className={classes.summary}>
        <b>{t(`response.kinds.${action.kind}`)}</b>
        <Tag tone={tones[state]}>{t(`response.states.${state}`)}</Tag>
        <span className="dim">
          <Ago time={time} /> · <Raw text={by} mono={false} />
        </span>
        {until !== null && <Undo record={record} />}
      </span>
      <Outcome record={record} />
      {counts && (
        <span className="dim">
          {t("response.counts", { prevented: counts.prevented, caught: counts.caught, missed: counts.missed })}
        </span>
      )}
      {until !== null && (
        <span className="dim">
          {t("response.until")} <Exact time={until} />
        </span>
      )}
    </li>
  );
}

function Undo({ record }: { record: ActionRecord }) {
  const { t } = useTranslation();
  const undo = useMutation({ mutationFn: async () => api.undoAction({ params: { id: record.id } }) });
  const { title } = useProblem(undo.error);
  return (
    <>
      <Button variant="subtle" size="compact-xs" loading={undo.isPending} onClick={() => undo.mutate()}>
        {t("response.undo")}
      </Button>
      {undo.isError && <span role="alert">{title}</span>}
    </>
  );
}
