import type { ActionRecord, ContainerRef, StoredAlert } from "@bulwark/model";
import { Button, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useKnown } from "../../i18n/known.ts";
import { useProblem } from "../../ui/states.tsx";
import { actionKinds, suggest, toAction, type ActionForm } from "./action-form.ts";
import classes from "./alerts.module.css";
import { Outcome } from "./outcome.tsx";
import { Reason } from "./reason.tsx";

interface Props {
  /** That it answers; null where a person acts without one. */
  alert: StoredAlert | null;
  container: ContainerRef;
  close: () => void;
}

const longestMinutes = 1440;

/** Says first what an action would do; only then it can be ordered. */
export function ActDialog({ alert, container, close }: Props) {
  const { t } = useTranslation();
  const [form, setForm] = useState(() => suggest(alert));
  const known = useKnown();
  const [reason, setReason] = useState(alert ? known.rule(alert.rule, "title", alert.title) : "");
  const action = toAction(form, alert);
  const order = useMutation({
    mutationFn: async (dryRun: boolean) => {
      if (!action) throw new Error("nothing is filled in");
      return api.orderAction({
        body: { container: container.id, alert: alert?.id ?? null, action, reason: reason.trim(), dryRun },
      });
    },
  });
  const answer = useAnswer(order.data);
  const change = (part: Partial<ActionForm>): void => {
    setForm({ ...form, ...part });
    order.reset();
  };
  const isTried = answer?.state === "dry-run" && answer.remedy === "";
  const isReady = action !== undefined && reason.trim() !== "";
  return (
    <Modal opened onClose={close} title={t("response.act")} closeButtonProps={{ "aria-label": t("detail.close") }}>
      <div className={classes.form}>
        <NativeSelect
          label={t("response.kind")}
          value={form.kind}
          data={actionKinds
            .filter((kind) => alert || kind !== "kill")
            .map((value) => ({ value, label: t(`response.kinds.${value}`) }))}
          onChange={({ currentTarget: { value } }) =>
            change({ kind: actionKinds.find((kind) => kind === value) ?? form.kind })
          }
        />
        <p className="dim">{t(`response.effects.${form.kind}`)}</p>
        <ActionFields form={form} change={change} />
        <Reason value={reason} change={setReason} />
        {order.isError && <Problem error={order.error} />}
        <output aria-live="polite">
          {order.isSuccess &&
            (answer && answer.state !== "ordered" ? <Outcome record={answer} /> : t("response.waiting"))}
        </output>
        {answer?.state === "refused" && action && (
          <Allow container={container} kind={action.kind} allowed={() => order.reset()} />
        )}
        <div className={classes.buttons}>
          <TryThenDo isReady={isReady} isTried={isTried} isPending={order.isPending} order={order.mutate} />
          <Button variant="subtle" onClick={close}>
            {t("detail.close")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

interface TryProps {
  isReady: boolean;
  isTried: boolean;
  isPending: boolean;
  order: (dryRun: boolean) => void;
}

/** What is tried first, and only then can be done. */
export function TryThenDo({ isReady, isTried, isPending, order }: TryProps) {
  const { t } = useTranslation();
  return (
    <>
      <Button variant="default" disabled={!isReady} loading={isPending} onClick={() => order(true)}>
        {t("response.try")}
      </Button>
      <Button color="red" disabled={!isReady || !isTried} loading={isPending} onClick={() => order(false)}>
        {t("response.do")}
      </Button>
    </>
  );
}

/** What became of the order: from the stream, and asked for, because the stream may be cut. */
function useAnswer(ordered: ActionRecord | undefined): ActionRecord | undefined {
  const { data } = useQuery({
    queryKey: ["action", ordered?.id],
    queryFn: async () => api.getAction({ params: { id: ordered?.id ?? "" } }),
    enabled: ordered !== undefined,
    refetchInterval: ({ state }) => (state.data?.state === "ordered" ? 1000 : false),
  });
  return ordered && data?.id === ordered.id ? data : undefined;
}

const lasting = new Set(["freeze", "deny-exec", "deny-connect", "quarantine", "pause", "cordon"]);

/** What an action is filled in with. */
export function ActionFields({ form, change }: { form: ActionForm; change: (part: Partial<ActionForm>) => void }) {
  const { t } = useTranslation();
  const isNetwork = form.kind === "deny-connect" || form.kind === "quarantine";
  return (
    <>
      {form.kind === "deny-exec" && (
        <Textarea
          label={t("response.paths")}
          description={t("response.pathsHint")}
          autosize
          value={form.paths}
          onChange={(event) => change({ paths: event.currentTarget.value })}
        />
      )}
      {form.kind === "deny-connect" && (
        <Textarea
          label={t("response.peers")}
          description={t("response.peersHint")}
          autosize
          value={form.peers}
          onChange={(event) => change({ peers: event.currentTarget.value })}
        />
      )}
      {isNetwork && (
        <Textarea
          label={t("response.except")}
          description={t("response.peersHint")}
          autosize
          value={form.except}
          onChange={(event) => change({ except: event.currentTarget.value })}
        />
      )}
      {lasting.has(form.kind) && (
        <TextInput
          label={t("response.minutes")}
          type="number"
          min={1}
          max={longestMinutes}
          value={form.minutes}
          onChange={({ currentTarget: { valueAsNumber } }) => {
            if (Number.isFinite(valueAsNumber)) {
              change({ minutes: Math.min(longestMinutes, Math.max(1, Math.round(valueAsNumber))) });
            }
          }}
        />
      )}
    </>
  );
}

/** Nobody allowed it so far: a policy for this container alone, or for its namespace. */
export function Allow({
  container,
  kind,
  allowed,
}: {
  container: ContainerRef;
  kind: ActionRecord["action"]["kind"];
  allowed: () => void;
}) {
  const { t } = useTranslation();
  const allow = useMutation({
    mutationFn: async (where: "container" | "namespace") => {
      const namespace = container.pod?.namespace;
      const isWide = where === "namespace" && namespace !== undefined;
      const name = isWide ? namespace : container.name;
      const namespaces = isWide ? [namespace] : [];
      const scope = { namespaces, containers: isWide ? [] : [container.id], images: [], labels: "" };
      const body = { name: `${kind}: ${name}`.slice(0, 128), scope, mode: "enforce", actions: [kind] } as const;
      await api.setResponsePolicy({
        params: { id: crypto.randomUUID() },
        body: { ...body, actions: [kind], system: false, automatic: null },
      });
    },
    onSuccess: allowed,
  });
  return (
    <div className={classes.buttons}>
      <Button variant="default" loading={allow.isPending} onClick={() => allow.mutate("container")}>
        {t("response.allowContainer")}
      </Button>
      {container.pod && (
        <Button variant="default" loading={allow.isPending} onClick={() => allow.mutate("namespace")}>
          {t("response.allowNamespace", { name: container.pod.namespace })}
        </Button>
      )}
      {allow.isError && <Problem error={allow.error} />}
    </div>
  );
}

export function Problem({ error }: { error: unknown }) {
  const { title, remedy } = useProblem(error);
  return (
    <p className={classes.problem} role="alert">
      {title}. {remedy}
    </p>
  );
}
