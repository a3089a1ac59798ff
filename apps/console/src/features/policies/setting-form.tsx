import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useProblem } from "../../ui/states.tsx";
import { Switch } from "../../ui/switch.tsx";
import { deniedBut, namespacesIn } from "./impact.ts";
import { placeOf } from "./parts.tsx";
import classes from "./policies.module.css";
import type { PolicyWithText } from "./policy-detail.tsx";
import { inForce } from "./search.ts";
import { violationsQuery } from "./violations-query.ts";

type Mode = (typeof inForce)[number];
const failures = ["Ignore", "Fail"] as const;
/** As a field for a day has it, in the time of this browser. */
const dayOf = (time: number | null): string => (time === null ? "" : new Date(time).toLocaleDateString("sv-SE"));

/** How a policy is to be in force, with what that means for what runs, before it is saved. */
export function SettingForm({ policy, done }: { policy: PolicyWithText; done: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { name, setting, fixable } = policy;
  const [mode, setMode] = useState<Mode>(setting?.mode ?? "observe");
  const [day, setDay] = useState(dayOf(setting?.from ?? null));
  const [failurePolicy, setFailure] = useState(setting?.failurePolicy ?? "Ignore");
  const [excluded, setExcluded] = useState(setting?.excludedNamespaces.join(", ") ?? "");
  const [fix, setFix] = useState(setting?.fix ?? false);
  const namespaces = namespacesIn(excluded);
  const save = useMutation({
    mutationFn: async () =>
      api.setPolicy({
        params: { id: name },
        body:
          mode === "off"
            ? null
            : {
                ...{ mode, failurePolicy, excludedNamespaces: namespaces ?? [], fix },
                from: day === "" || mode === "observe" ? null : new Date(`${day}T00:00`).getTime(),
              },
      }),
    async onSuccess() {
      await Promise.all(
        [["policies"], ["policy", name]].map(async (queryKey) => client.invalidateQueries({ queryKey })),
      );
      done();
    },
  });
  const { title, remedy } = useProblem(save.error);
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <div className={classes.pair}>
        <NativeSelect
          label={t("policy.mode")}
          value={mode}
          data={inForce.map((value) => ({ value, label: t(`policy.modes.${value}`) }))}
          onChange={({ currentTarget: { value } }) => setMode(inForce.find((one) => one === value) ?? mode)}
        />
        {(mode === "warn" || mode === "enforce") && (
          <TextInput
            type="date"
            label={t("policy.observes")}
            value={day}
            onChange={(event) => setDay(event.currentTarget.value)}
          />
        )}
        {mode === "enforce" && (
          <NativeSelect
            label={t("policy.away")}
            value={failurePolicy}
            data={failures.map((value) => ({ value, label: t(`policy.failure.${value}`) }))}
            onChange={({ currentTarget: { value } }) =>
              setFailure(failures.find((one) => one === value) ?? failurePolicy)
            }
          />
        )}
      </div>
      {mode !== "off" && (
        <TextInput
          label={t("policy.excluded")}
          placeholder="team-a, team-b"
          value={excluded}
          error={namespaces === null && t("policy.noNamespace")}
          onChange={(event) => setExcluded(event.currentTarget.value)}
        />
      )}
      {fixable && mode !== "off" && policy.kind !== "MutatingAdmissionPolicy" && (
        <Switch checked={fix} onChange={setFix} label={t("policy.fixOn")} />
      )}
      <Impact policy={policy} mode={mode} excluded={namespaces ?? []} />
      {save.isError && (
        <p role="alert">
          {title} {remedy}
        </p>
      )}
      <div className={classes.buttons}>
        <Button type="submit" loading={save.isPending} disabled={namespaces === null}>
          {t("policy.save")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("posture.cancel")}
        </Button>
      </div>
    </form>
  );
}

const named = 3;

/** What would happen to what runs now, were it made anew. */
function Impact({ policy, mode, excluded }: { policy: PolicyWithText; mode: Mode; excluded: readonly string[] }) {
  const { t } = useTranslation();
  const { data } = useQuery(violationsQuery(policy.name));
  if (policy.kind === "MutatingAdmissionPolicy") return null;
  if (policy.running === null || !data) return <p className={classes.impact}>{t("policy.notLooked")}</p>;
  const denied = deniedBut(data.items, excluded);
  // What is not on the page is not in a namespace that could be left out here.
  const count = data.next === null ? denied.length : Math.max(policy.running.denied, denied.length);
  const names = denied.slice(0, named).map(placeOf).join(", ");
  const text =
    mode === "off"
      ? t("policy.impactOff")
      : count === 0
        ? t("policy.impactNone")
        : t(`policy.impactOf.${mode}`, { count, names: denied.length > named ? `${names}, …` : names });
  return (
    <p className={classes.impact} role="status" data-denies={mode === "enforce" && count > 0}>
      {text}
      {policy.running.unknown > 0 && ` ${t("policy.impactUnknown", { count: policy.running.unknown })}`}
    </p>
  );
}
