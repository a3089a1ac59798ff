import { Button, NativeSelect, Textarea } from "@mantine/core";
import type { NetworkPolicyRef } from "@bulwark/model";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Section } from "../../ui/page.tsx";
import { useProblem } from "../../ui/states.tsx";
import type { EdgesAnswer } from "./edges-query.ts";
import { LearnForm } from "./learn-form.tsx";
import classes from "./network.module.css";
import { PublishForm } from "./publish-form.tsx";
import { refName } from "./policy-ref.ts";
import { ReplayEffect } from "./replay-effect.tsx";
import type { NetworkSearch } from "./search.ts";
import { whatIfOf, type WhatIf } from "./what-if.ts";

/** A change that somebody writes. */
export interface Draft {
  cluster: string | undefined;
  text: string;
  remove: NetworkPolicyRef[];
}

interface Props {
  draft: Draft;
  answer: EdgesAnswer;
  search: NetworkSearch;
  onWhatIf: (whatIf: WhatIf | undefined) => void;
  onPublished: (document: string) => void;
}

/** A text of policies, learned or written: what it would have denied is shown, here and on the map, before it is published. */
export function PolicyEditor({ draft, answer, search, onWhatIf, onPublished }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const clusters = clustersOf(answer, draft.cluster);
  const [cluster, setCluster] = useState(draft.cluster ?? clusters[0] ?? "default");
  const [text, setText] = useState(draft.text);
  const { remove } = draft;
  const { since, until } = answer;
  const replay = useMutation({
    mutationFn: async (tried: string) =>
      api.replayNetworkPolicies({ body: { cluster, text: tried, remove, since, until } }),
  });
  // What was said of another text is not said of this one.
  const told = replay.variables === text ? replay.data : undefined;
  useEffect(() => onWhatIf(told && whatIfOf(told)), [told, onWhatIf]);
  const { title, remedy } = useProblem(replay.error);
  const isEmpty = text.trim() === "" && remove.length === 0;
  const isBroken = told?.problems.some(({ severity }) => severity === "error") ?? false;
  return (
    <div className={classes.form}>
      {clusters.length > 1 && (
        <NativeSelect
          label={t("cluster.name")}
          value={cluster}
          data={clusters}
          onChange={({ currentTarget: { value } }) => {
            setCluster(value);
            replay.reset();
          }}
        />
      )}
      {remove.length > 0 && <p>{t("network.removes", { names: remove.map(refName).join(", ") })}</p>}
      {remove.length === 0 && (
        <>
          <LearnForm
            cluster={cluster}
            namespace={search.namespace}
            since={since}
            until={until}
            onLearned={(learned) => {
              setText(learned);
              if (learned.trim() !== "") replay.mutate(learned);
            }}
          />
          <Textarea
            className={classes.editor ?? ""}
            label={t("network.text")}
            description={t("network.textHint")}
            spellCheck={false}
            rows={14}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </>
      )}
      {replay.isError && (
        <p className={classes.problem} role="alert">
          {title} {remedy}
        </p>
      )}
      {told && (
        <Section title={t("network.effect")}>
          <ReplayEffect replayed={told} />
        </Section>
      )}
      <div className={classes.buttons}>
        <Button variant="default" loading={replay.isPending} disabled={isEmpty} onClick={() => replay.mutate(text)}>
          {t("network.try")}
        </Button>
        {!told && !isEmpty && <span className="dim">{t("network.tryFirst")}</span>}
      </div>
      {told && (
        <PublishForm
          change={{ cluster, text, remove }}
          replayed={told}
          disabled={isBroken}
          onPublished={async (document) => {
            await Promise.all(
              [["network-documents"], ["network-policies"], ["network-edges"]].map(async (queryKey) =>
                client.invalidateQueries({ queryKey }),
              ),
            );
            onPublished(document);
          }}
        />
      )}
    </div>
  );
}

/** Clusters that flows came from, or whose policies are known. */
function clustersOf({ clusters, observers }: EdgesAnswer, chosen: string | undefined): string[] {
  const names = [...clusters, ...observers].map(({ cluster }) => cluster);
  return [...new Set(chosen === undefined ? names : [chosen, ...names])];
}
