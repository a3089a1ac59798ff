import { Button } from "@mantine/core";
import type { NetworkPolicyDocument } from "@bulwark/model";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Facts, Section, Tag } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { Failed, Lines, useProblem } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import classes from "./network.module.css";
import { refName } from "./policy-ref.ts";
import { ReplayEffect } from "./replay-effect.tsx";
import { whatIfOf, type WhatIf } from "./what-if.ts";

const tones = {
  observing: "info",
  "handed-out": "warn",
  published: "warn",
  confirmed: "good",
  undone: "plain",
  stuck: "bad",
} as const;

export function StateTag({ value }: { value: NetworkPolicyDocument["state"] }) {
  const { t } = useTranslation();
  return <Tag tone={tones[value]}>{t(`network.states.${value}`)}</Tag>;
}

/** Policies that were published: what became of them, what they would have denied since, confirm and undo. */
export function DocumentDetail({ id, onWhatIf }: { id: string; onWhatIf: (whatIf: WhatIf | undefined) => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["network-document", id],
    queryFn: async () => api.getNetworkPolicyDocument({ params: { id } }),
    refetchInterval: 10_000,
  });
  const observed = data?.observed;
  useEffect(() => onWhatIf(observed ? whatIfOf(observed) : undefined), [observed, onWhatIf]);
  if (error && !data) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={6} />;
  const { document } = data;
  return (
    <>
      <div className={classes.summary}>
        <StateTag value={document.state} />
        <span className="dim">{t(`network.stateTexts.${document.state}`)}</span>
      </div>
      {document.problem !== "" && (
        <p className={classes.problem}>
          <Raw text={document.problem} mono={false} /> <Raw text={document.remedy} mono={false} />
        </p>
      )}
      <Steps document={document} />
      <Facts
        items={[
          [t("cluster.name"), document.cluster],
          [t("network.adds"), document.policies.map(refName).join(", ")],
          [t("network.removed"), document.removed.map(refName).join(", ")],
          [t("network.why"), <Raw key="why" text={document.reason} mono={false} />],
          [t("network.publishedBy"), document.published.by],
          [t("network.publishedAt"), <Exact key="at" time={document.published.time} />],
          [
            t("network.confirmBefore"),
            document.confirmBefore !== null && document.state === "published" && (
              <Exact key="until" time={document.confirmBefore} />
            ),
          ],
          [t("network.confirmedBy"), document.confirmed?.by],
          [t("network.undoneBy"), document.undone && t("network.byAt", { by: document.undone.by })],
        ]}
      />
      {observed && (
        <Section title={t("network.since")}>
          <ReplayEffect replayed={observed} />
        </Section>
      )}
      {document.text !== "" && (
        <Section title={t("network.text")} aside={<CopyButton text={document.text} />}>
          {/* A long text scrolls, so the keyboard must reach it. */}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <pre className={classes.source} tabIndex={0}>
            {document.text}
          </pre>
        </Section>
      )}
    </>
  );
}

function Steps({ document: { id, state } }: { document: NetworkPolicyDocument }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const step = useMutation({
    mutationFn: async (what: "confirm" | "undo") =>
      what === "confirm" ? api.confirmNetworkPolicies({ params: { id } }) : api.undoNetworkPolicies({ params: { id } }),
    async onSettled() {
      await Promise.all(
        [["network-document", id], ["network-documents"], ["network-policies"], ["network-edges"]].map(
          async (queryKey) => client.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
  const { title, remedy } = useProblem(step.error);
  const canConfirm = state === "published" || state === "handed-out";
  const canUndo = state !== "undone";
  if (!canConfirm && !canUndo) return null;
  return (
    <>
      <div className={classes.buttons}>
        {canConfirm && (
          <Button loading={step.isPending} onClick={() => step.mutate("confirm")}>
            {t("network.confirm")}
          </Button>
        )}
        {canUndo && (
          <Button variant="default" loading={step.isPending} onClick={() => step.mutate("undo")}>
            {state === "observing" ? t("network.stopObserving") : t("network.undo")}
          </Button>
        )}
      </div>
      {step.isError && (
        <p className={classes.problem} role="alert">
          {title} {remedy}
        </p>
      )}
    </>
  );
}
