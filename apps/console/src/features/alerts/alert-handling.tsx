import type { AlertState, StoredAlert } from "@bulwark/model";
import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CheckIcon } from "../../ui/icons.tsx";
import { useProblem } from "../../ui/states.tsx";
import classes from "./alerts.module.css";
import { ExceptionDialog } from "./exception-dialog.tsx";
import { useUpdateAlert } from "./update-alert.ts";

/** Acknowledge, close, reopen, each with a word about why. */
export function AlertHandling({ alert }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  const [comment, setComment] = useState(alert.comment);
  const [excepting, setExcepting] = useState(false);
  const update = useUpdateAlert();
  const set = (state: AlertState): void => update.mutate({ id: alert.id, state, comment: comment.trim() });
  const isChanged = comment.trim() !== alert.comment;
  return (
    <div className={classes.handling}>
      <Textarea
        aria-label={t("alerts.comment")}
        placeholder={t("alerts.commentHint")}
        value={comment}
        maxLength={4096}
        rows={comment.length > 80 || comment.includes("\n") ? 3 : 1}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <div className={classes.buttons}>
        {alert.state === "open" && (
          <Button loading={update.isPending} leftSection={<CheckIcon size={14} />} onClick={() => set("acknowledged")}>
            {t("alerts.acknowledge")}
          </Button>
        )}
        {alert.state !== "closed" && (
          <Button variant="default" disabled={update.isPending} onClick={() => set("closed")}>
            {t("alerts.close")}
          </Button>
        )}
        {alert.state !== "open" && (
          <Button variant="default" disabled={update.isPending} onClick={() => set("open")}>
            {t("alerts.reopen")}
          </Button>
        )}
        {(alert.container ?? alert.process ?? alert.request) && (
          <Button variant="subtle" onClick={() => setExcepting(true)}>
            {t("exception.open")}
          </Button>
        )}
        {isChanged && alert.state !== "open" && (
          <Button variant="subtle" disabled={update.isPending} onClick={() => set(alert.state)}>
            {t("alerts.saveComment")}
          </Button>
        )}
      </div>
      {update.isError && <Problem error={update.error} />}
      {excepting && <ExceptionDialog alert={alert} close={() => setExcepting(false)} />}
    </div>
  );
}

function Problem({ error }: { error: unknown }) {
  const { title, remedy } = useProblem(error);
  return (
    <p className={classes.problem} role="alert">
      {title}. {remedy}
    </p>
  );
}
