import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "@mantine/core";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { compact } from "../../search.ts";
import { useFormat } from "../../ui/format.ts";
import { AlertIcon, PlusIcon } from "../../ui/icons.tsx";
import { Page, Pane } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { tab, Tabs } from "../../ui/tabs.tsx";
import { Ago } from "../../ui/time.tsx";
import { DecisionsTable } from "./decisions-table.tsx";
import { PoliciesTable } from "./policies-table.tsx";
import { policiesQuery } from "./policies-query.ts";
import classes from "./policies.module.css";
import { PolicyDetail } from "./policy-detail.tsx";
import { PolicyText } from "./policy-text.tsx";
import { RunningTable } from "./running-table.tsx";
import { policyViews, type PolicySearch, type PolicyView } from "./search.ts";

export type ChangePolicies = (part: PolicySearch) => void;

/** What is let into clusters: the policies, what they say of all that runs, and what they decided. */
export function PoliciesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/policies" });
  const navigate = useNavigate({ from: "/policies" });
  const [writing, setWriting] = useState<{ name: string; text: string }>();
  const change = useCallback<ChangePolicies>(
    (part) => void navigate({ search: (old) => compact({ ...old, ...part }), replace: true }),
    [navigate],
  );
  const view = search.view ?? "policies";
  return (
    <Page
      title={t("policy.title")}
      aside={
        <>
          <Views view={view} />
          <span className={classes.new}>
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<PlusIcon size={13} />}
              onClick={() => setWriting({ name: "", text: "" })}
            >
              {t("policy.write")}
            </Button>
          </span>
        </>
      }
      bar={<State />}
    >
      <Pane>
        {view === "policies" && <PoliciesTable search={search} change={change} />}
        {view === "running" && <RunningTable search={search} change={change} />}
        {view === "decisions" && <DecisionsTable search={search} change={change} />}
      </Pane>
      {search.id !== undefined && (
        <PolicyDetail
          key={search.id}
          id={search.id}
          onClose={() => change({ id: undefined })}
          onEdit={(name, text) => setWriting({ name, text })}
        />
      )}
      {writing && <PolicyText name={writing.name} text={writing.text} close={() => setWriting(undefined)} />}
    </Page>
  );
}

function Views({ view }: { view: PolicyView }) {
  const { t } = useTranslation();
  return (
    <Tabs label={t("policy.title")}>
      {policyViews.map((name) => (
        <Link key={name} to="/policies" search={name === "policies" ? {} : { view: name }} {...tab(name === view)}>
          {t(`policy.views.${name}`)}
        </Link>
      ))}
    </Tabs>
  );
}

/** Whether API servers ask at all, when what runs was looked at, and what could not be read. */
function State() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useQuery(policiesQuery);
  if (!data) return null;
  const { webhook, looks, problems, unjudged } = data;
  const unread = looks.flatMap((look) => look.problems.map((text) => `${look.cluster}: ${text}`));
  const wrong = [...problems, ...unread];
  return (
    <div className={classes.bar}>
      <span className={webhook ? "" : "dim"}>
        {webhook
          ? t("policy.asked", { count: webhook.clusters.length, names: webhook.clusters.join(", ") })
          : t("policy.notAsked")}
      </span>
      {looks.map(({ cluster, judgedAt, objects }) => (
        <span key={cluster} className="dim">
          {t("policy.look", { cluster, objects: format.number(objects) })} <Ago time={judgedAt} />
        </span>
      ))}
      {unjudged.length > 0 && (
        <span className="dim" title={t("policy.unjudgedWhy")}>
          {t("policy.unjudged", { names: unjudged.join(", ") })}
        </span>
      )}
      {wrong.length > 0 && (
        <span className={classes.wrong} title={wrong.join("\n")}>
          <AlertIcon size={14} />
          <Line text={wrong.length === 1 ? (wrong[0] ?? "") : t("policy.unread", { count: wrong.length })} />
        </span>
      )}
    </div>
  );
}
