import type { ActionRecord, ListedEnd, WorkloadQuarantine } from "@bulwark/model";
import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Section } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Exact } from "../../ui/time.tsx";
import { ActionFields, Allow, Problem, TryThenDo } from "../alerts/act-dialog.tsx";
import { suggest, toAction, type ActionForm } from "../alerts/action-form.ts";
import formClasses from "../alerts/alerts.module.css";
import { Outcome } from "../alerts/outcome.tsx";
import { Reason } from "../alerts/reason.tsx";
import { useContainersOf } from "./containers.ts";
import { endName } from "./ends.ts";
import classes from "./network.module.css";

const mostShown = 20;
const poll = 1000;

/** Cuts a whole workload from the network: first what that would do to each container that runs, then the deed. */
export function WorkloadQuarantineDialog({ end, close }: { end: ListedEnd; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [form, setForm] = useState(() => suggest(null));
  const [reason, setReason] = useState("");
  const action = toAction(form, null);
  const order = useMutation({
    mutationFn: async (dryRun: boolean) => {
      if (action?.kind !== "quarantine") throw new Error("nothing is filled in");
      const { limitMs, except, onFailure } = action;
      const wish = { ...workloadOf(end), limitMs, except, onFailure, reason: reason.trim() };
      return api.quarantineWorkload({ body: { ...wish, dryRun } });
    },
    onSuccess: async () => client.invalidateQueries({ queryKey: quarantinesKey }),
  });
  const answers = useAnswers(order.data?.tries ?? [], order.data?.quarantine ?? null);
  const change = (part: Partial<ActionForm>): void => {
    setForm({ ...form, ...part });
    order.reset();
  };
  const { containers = 0, quarantine = null } = order.data ?? {};
  const isTried = order.isSuccess && quarantine === null && answers.every(isGood) && answers.length === containers;
  const isReady = action !== undefined && reason.trim() !== "";
  return (
    <Modal
      opened
      onClose={close}
      title={t("network.cutOf", { name: endName(end) })}
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      <div className={formClasses.form}>
        <p className="dim">{t("network.cutAll")}</p>
        <ActionFields form={form} change={change} />
        <Reason value={reason} change={setReason} />
        {order.isError && <Problem error={order.error} />}
        <output aria-live="polite">
          {order.isSuccess && (
            <p>
              {quarantine
                ? t("network.cutSoFar", { answered: answers.length, count: containers })
                : t("network.tried", { answered: answers.length, count: containers })}
            </p>
          )}
          {answers.slice(0, mostShown).map((record) => (
            <div key={record.id}>
              <Line text={`${record.containerName} · ${record.node}`} />
              <Outcome record={record} />
            </div>
          ))}
        </output>
        {quarantine && <AllowOfFirst refused={answers.find(({ state }) => state === "refused")} end={end} />}
        <div className={formClasses.buttons}>
          {!quarantine && (
            <TryThenDo isReady={isReady} isTried={isTried} isPending={order.isPending} order={order.mutate} />
          )}
          <Button variant="subtle" onClick={close}>
            {t("detail.close")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** That a workload is cut from the network, and the way to end that. Nothing where it is not. */
export function CutWorkload({ end }: { end: ListedEnd }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { cluster, namespace, workload } = workloadOf(end);
  const { data } = useQuery({
    queryKey: [...quarantinesKey, cluster],
    queryFn: async () => api.listWorkloadQuarantines({ query: { cluster } }),
    refetchInterval: 10 * poll,
  });
  const undo = useMutation({
    mutationFn: async (id: string) => api.undoWorkloadQuarantine({ params: { id } }),
    onSettled: async () => client.invalidateQueries({ queryKey: quarantinesKey }),
  });
  const cut = data?.items.find((one) => one.namespace === namespace && one.workload === workload);
  if (!cut) return null;
  return (
    <Section title={t("response.kinds.quarantine")}>
      <p>
        <Line text={`${cut.by}: ${cut.reason}`} />
      </p>
      <p className="dim">
        {t("response.until")} <Exact time={cut.until} />
      </p>
      <div className={classes.buttons}>
        <Button variant="default" loading={undo.isPending} onClick={() => undo.mutate(cut.id)}>
          {t("response.undo")}
        </Button>
      </div>
      {undo.isError && <Problem error={undo.error} />}
    </Section>
  );
}

const quarantinesKey = ["workload-quarantines"];

function workloadOf({ cluster, workload }: ListedEnd): Pick<WorkloadQuarantine, "cluster" | "namespace" | "workload"> {
  return { cluster, namespace: workload?.namespace ?? "", workload: workload?.name ?? workload?.pod ?? "" };
}

/** Agents try again by themselves once it is allowed. */
function AllowOfFirst({ refused, end }: { refused: ActionRecord | undefined; end: ListedEnd }) {
  const { data } = useContainersOf(end, refused !== undefined);
  const container = data?.items.find(({ id }) => id === refused?.container);
  return container && <Allow container={container} kind="quarantine" allowed={() => undefined} />;
}

/** Of a dry run each answer; of a quarantine what agents have done so far, the last of each container. */
function useAnswers(tries: readonly ActionRecord[], quarantine: WorkloadQuarantine | null): ActionRecord[] {
  const tried = useQuery({
    queryKey: ["actions", tries.map(({ id }) => id)],
    queryFn: async () => Promise.all(tries.map(async ({ id }) => api.getAction({ params: { id } }))),
    enabled: tries.length > 0,
    refetchInterval: ({ state }) => (state.data?.every((record) => record.state !== "ordered") === true ? false : poll),
  });
  const done = useQuery({
    queryKey: ["actions", quarantine?.id],
    queryFn: async () => api.listActions({ query: { quarantine: quarantine?.id, limit: 500 } }),
    enabled: quarantine !== null,
    refetchInterval: poll,
  });
  if (!quarantine) return (tries.length > 0 ? (tried.data ?? []) : []).filter(({ state }) => state !== "ordered");
  // Latest first.
  const last = new Map((done.data?.items ?? []).toReversed().map((record) => [record.container, record]));
  return [...last.values()];
}

function isGood({ state, remedy }: ActionRecord): boolean {
  return state === "dry-run" && remedy === "";
}
