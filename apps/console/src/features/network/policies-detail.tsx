import { Button } from "@mantine/core";
import type { NetworkPolicyDocument } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { PlusIcon } from "../../ui/icons.tsx";
import { Detail, Section, Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { DocumentDetail, StateTag } from "./document-detail.tsx";
import type { EdgesAnswer } from "./edges-query.ts";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";
import { refName } from "./policy-ref.ts";
import { PolicyEditor, type Draft } from "./policy-editor.tsx";
import type { NetworkSearch } from "./search.ts";
import type { WhatIf } from "./what-if.ts";

interface Props {
  /** `all`, `new`, or of a document. */
  id: string;
  answer: EdgesAnswer;
  search: NetworkSearch;
  change: ChangeNetwork;
  onWhatIf: (whatIf: WhatIf | undefined) => void;
}

/** Network policies beside the map: what there is, one that is written, one that was published. */
export function PoliciesDetail({ id, answer, search, change, onWhatIf }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft | undefined>(
    id === "new" ? { cluster: search.cluster, text: "", remove: [] } : undefined,
  );
  // What was tried is marked on the map as long as it is looked at.
  useEffect(() => () => onWhatIf(undefined), [onWhatIf]);
  const isList = id === "all" && !draft;
  const title = draft ? t("network.write") : isList ? t("network.policies") : t("network.published");
  return (
    <Detail label={t("network.policies")} title={title} onClose={() => change({ policies: undefined })}>
      {draft ? (
        <PolicyEditor
          draft={draft}
          answer={answer}
          search={search}
          onWhatIf={onWhatIf}
          onPublished={(document) => change({ policies: document })}
        />
      ) : isList ? (
        <Lists search={search} change={change} onDraft={setDraft} />
      ) : (
        <DocumentDetail id={id} onWhatIf={onWhatIf} />
      )}
      {!isList && (
        <div className={classes.buttons}>
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => {
              setDraft(undefined);
              onWhatIf(undefined);
              change({ policies: "all" });
            }}
          >
            {t("network.allPolicies")}
          </Button>
        </div>
      )}
    </Detail>
  );
}

interface ListsProps {
  search: NetworkSearch;
  change: ChangeNetwork;
  onDraft: (draft: Draft) => void;
}

function Lists({ search: { cluster, namespace }, change, onDraft }: ListsProps) {
  const { t } = useTranslation();
  const documents = useQuery({
    queryKey: ["network-documents", cluster],
    queryFn: async () => api.listNetworkPolicyDocuments({ query: { cluster, limit: 50 } }),
    refetchInterval: 15_000,
  });
  const policies = useQuery({
    queryKey: ["network-policies", cluster, namespace],
    queryFn: async () => api.listNetworkPolicies({ query: { cluster, namespace } }),
    refetchInterval: 60_000,
  });
  return (
    <>
      <div className={classes.buttons}>
        <Button variant="default" leftSection={<PlusIcon size={13} />} onClick={() => change({ policies: "new" })}>
          {t("network.write")}
        </Button>
      </div>
      <Section title={t("network.documents")}>
        {documents.error ? (
          <Failed error={documents.error} retry={() => void documents.refetch()} />
        ) : documents.data ? (
          <Documents documents={documents.data.items} change={change} />
        ) : (
          <Lines count={2} />
        )}
      </Section>
      <Section title={t("network.inClusters")}>
        {policies.error ? (
          <Failed error={policies.error} retry={() => void policies.refetch()} />
        ) : policies.data ? (
          <Policies answer={policies.data} onDraft={onDraft} />
        ) : (
          <Lines count={3} />
        )}
      </Section>
    </>
  );
}

function Documents({ documents, change }: { documents: NetworkPolicyDocument[]; change: ChangeNetwork }) {
  const { t } = useTranslation();
  if (documents.length === 0) return <p className="dim">{t("network.noDocuments")}</p>;
  return (
    <div className={classes.rows}>
      {documents.map(({ id, state, policies, removed, published, reason }) => (
        <button key={id} type="button" className={classes.row} onClick={() => change({ policies: id })}>
          <span className={classes.two}>
            <span className={`cut ${classes.strong}`}>
              <Line text={[...policies, ...removed].map(refName).join(", ")} />
            </span>
            <span className="cut dim">
              <Line text={`${published.by}: ${reason}`} />
            </span>
          </span>
          <span className={classes.rowEnd}>
            <StateTag value={state} />
            <span className="dim">
              <Ago time={published.time} />
            </span>
          </span>
        </button>
      ))}
    </div>
  );
}

function Policies({
  answer: { items, clusters },
  onDraft,
}: {
  answer: Answer<"listNetworkPolicies">;
  onDraft: (draft: Draft) => void;
}) {
  const { t } = useTranslation();
  const unknown = clusters.filter(({ policies }) => policies === null);
  return (
    <>
      {unknown.map(({ cluster, reason, remedy }) => (
        <p key={cluster} className="dim">
          {cluster}: {reason} {remedy}
        </p>
      ))}
      {items.length === 0 && <p className="dim">{t("network.noPolicies")}</p>}
      {items.length > 0 && (
        <div className={classes.rows}>
          {items.map((policy) => {
            const { cluster, kind, text, problems } = policy;
            return (
              <div key={`${cluster} ${kind} ${refName(policy)}`} className={classes.row}>
                <span className={classes.two}>
                  <span className={`cut ${classes.strong}`}>
                    <Line text={refName(policy)} />
                  </span>
                  <span className="cut dim">
                    <Line text={[kind, clusters.length > 1 ? cluster : ""].filter(Boolean).join(" · ")} />
                  </span>
                </span>
                <span className={classes.rowEnd}>
                  {problems.length > 0 && (
                    <span title={problems.join("\n")}>
                      <Tag tone="warn">{t("network.problems", { count: problems.length })}</Tag>
                    </span>
                  )}
                  <Button size="compact-xs" variant="default" onClick={() => onDraft({ cluster, text, remove: [] })}>
                    {t("policy.change")}
                  </Button>
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    onClick={() =>
                      onDraft({ cluster, text: "", remove: [{ kind, namespace: policy.namespace, name: policy.name }] })
                    }
                  >
                    {t("network.remove")}
                  </Button>
                </span>
              </div>
            );
          })}
        </div>
      )}
    </>
  );
}
