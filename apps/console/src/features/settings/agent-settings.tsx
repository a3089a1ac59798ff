import type { AlertException, ResponsePolicy, RuleScope } from "@bulwark/model";
import { ActionIcon } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { TrashIcon } from "../../ui/icons.tsx";
import { Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import { Card } from "./card.tsx";
import classes from "./settings.module.css";

/** What persons allowed, and which alerts they do not want: all of it, with a way to end each. */
export function AgentSettings() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["agent-settings"],
    queryFn: async () => api.getAgentSettings(),
  });
  const end = useMutation({
    mutationFn: async ({ kind, id }: { kind: "policy" | "exception"; id: string }) =>
      kind === "policy" ? api.deleteResponsePolicy({ params: { id } }) : api.deleteException({ params: { id } }),
    onSettled: () => void client.invalidateQueries({ queryKey: ["agent-settings"] }),
  });
  const failed = error ?? end.error;
  return (
    <>
      <Card title={t("policies.title")} text={t("policies.text")}>
        {failed && <Failed error={failed} retry={() => void refetch()} />}
        {data ? (
          <Policies policies={data.responses} end={(id) => end.mutate({ kind: "policy", id })} />
        ) : (
          !failed && <Lines count={2} />
        )}
      </Card>
      <Card title={t("exceptions.title")} text={t("exceptions.text")}>
        {data && <Exceptions exceptions={data.exceptions} end={(id) => end.mutate({ kind: "exception", id })} />}
      </Card>
    </>
  );
}

function Policies({ policies, end }: { policies: ResponsePolicy[]; end: (id: string) => void }) {
  const { t } = useTranslation();
  if (policies.length === 0) return <p className="dim">{t("policies.none")}</p>;
  return (
    <ul className={classes.tokens}>
      {policies.map(({ id, name, scope, mode, automatic }) => (
        <li key={id} className={classes.token}>
          <span className={classes.tokenName}>
            <Line text={name} />
          </span>
          <Tag tone={mode === "enforce" ? "warn" : "plain"}>{t(`policies.modes.${mode}`)}</Tag>
          {automatic && <Tag tone="warn">{t("policies.automatic")}</Tag>}
          <span className={`dim ${classes.tokenTimes}`}>
            <Where scope={scope} />
          </span>
          <ActionIcon aria-label={t("policies.end", { name })} onClick={() => end(id)}>
            <TrashIcon size={15} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Exceptions({ exceptions, end }: { exceptions: AlertException[]; end: (id: string) => void }) {
  const { t } = useTranslation();
  if (exceptions.length === 0) return <p className="dim">{t("exceptions.none")}</p>;
  return (
    <ul className={classes.tokens}>
      {exceptions.map(({ id, rule, reason, scope, expiresAt }) => (
        <li key={id} className={classes.token}>
          <span className={classes.tokenName}>
            <Line text={`${rule}: ${reason}`} />
          </span>
          <span className={`dim ${classes.tokenTimes}`}>
            <Where scope={scope} /> · <Exact time={expiresAt} />
          </span>
          <ActionIcon aria-label={t("exceptions.end", { rule })} onClick={() => end(id)}>
            <TrashIcon size={15} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Where({ scope: { namespaces, images, containers, labels } }: { scope: RuleScope }) {
  const { t } = useTranslation();
  const parts = [...namespaces, ...images, ...containers, ...(labels === "" ? [] : [labels])];
  return <Line text={parts.length === 0 ? t("policies.everywhere") : parts.join(", ")} />;
}
