import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { api } from "../../api/client.ts";
import { Raw } from "../../ui/raw.tsx";
import { useProblem } from "../../ui/states.tsx";
import { Switch } from "../../ui/switch.tsx";
import { namespacesIn } from "../policies/impact.ts";
import classes from "./network.module.css";

const grains = ["workload", "namespace", "pod"] as const;

interface Props {
  cluster: string;
  namespace: string | undefined;
  since: number;
  until: number;
  onLearned: (text: string) => void;
}

/** Policies from what was seen. What they are wider than what was seen in, and what was left out, is said. */
export function LearnForm({ cluster, namespace, since, until, onLearned }: Props) {
  const { t } = useTranslation();
  const known = useKnown();
  const [where, setWhere] = useState(namespace ?? "");
  const [grain, setGrain] = useState<(typeof grains)[number]>("workload");
  const [names, setNames] = useState(false);
  const [dns, setDns] = useState(true);
  const namespaces = namespacesIn(where);
  const learn = useMutation({
    mutationFn: async () =>
      api.learnNetworkPolicies({ body: { cluster, namespaces: namespaces ?? [], grain, names, dns, since, until } }),
    onSuccess: ({ text }) => onLearned(text),
  });
  const { title, remedy } = useProblem(learn.error);
  const skipped = Object.entries(learn.data?.skipped ?? {}).filter(([, count]) => count > 0);
  return (
    <div>
      <div className={classes.fields}>
        <TextInput
          label={t("network.learnFor")}
          placeholder={t("network.everyNamespace")}
          value={where}
          error={namespaces === null && t("policy.noNamespace")}
          onChange={(event) => setWhere(event.currentTarget.value)}
        />
        <NativeSelect
          label={t("network.grain")}
          value={grain}
          data={grains.map((value) => ({ value, label: t(`network.grains.${value}`) }))}
          onChange={({ currentTarget: { value } }) => setGrain(grains.find((one) => one === value) ?? grain)}
        />
      </div>
      <div className={classes.options}>
        <Switch checked={dns} onChange={setDns} label={t("network.withDns")} />
        <Switch checked={names} onChange={setNames} label={t("network.byName")} />
        <Button
          variant="default"
          loading={learn.isPending}
          disabled={namespaces === null}
          onClick={() => learn.mutate()}
        >
          {t("network.learn")}
        </Button>
      </div>
      {learn.isError && (
        <p className={classes.problem} role="alert">
          {title} {remedy}
        </p>
      )}
      {learn.data && (
        <div role="status">
          <p className="dim">
            {t("network.learned", { count: learn.data.candidates.length, edges: learn.data.edges })}
            {learn.data.lost > 0 && ` ${t("network.notLearned", { count: learn.data.lost })}`}
          </p>
          {(learn.data.notes.length > 0 || skipped.length > 0) && (
            <ul className={classes.notes}>
              {learn.data.notes.map((note) => (
                <li key={note}>
                  <Raw text={note} mono={false} />
                </li>
              ))}
              {skipped.map(([reason, count]) => (
                <li key={reason}>{t("network.skipped", { count, reason: known.unfit(reason) })}</li>
              ))}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}
