import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { ReplayedPolicies } from "@bulwark/contract";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useProblem } from "../../ui/states.tsx";
import classes from "./network.module.css";
import type { Draft } from "./policy-editor.tsx";

const modes = ["observe", "enforce"] as const;
const longest = 1440;

interface Props {
  change: Draft & { cluster: string };
  replayed: ReplayedPolicies;
  /** The text has an error. */
  disabled: boolean;
  onPublished: (document: string) => Promise<void>;
}

/** First observed, then in the cluster; unless somebody confirms it in time, that is taken back. */
export function PublishForm({ change, replayed, disabled, onPublished }: Props) {
  const { t } = useTranslation();
  const [mode, setMode] = useState<(typeof modes)[number]>("observe");
  const [minutes, setMinutes] = useState(10);
  const [reason, setReason] = useState("");
  const publish = useMutation({
    mutationFn: async () =>
      api.publishNetworkPolicies({ body: { ...change, mode, confirmMinutes: minutes, reason: reason.trim() } }),
    onSuccess: async ({ id }) => onPublished(id),
  });
  const { title, remedy } = useProblem(publish.error);
  const { writable, reason: why, remedy: how } = replayed.cluster;
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        publish.mutate();
      }}
    >
      <div className={classes.fields}>
        <NativeSelect
          label={t("network.mode")}
          value={mode}
          data={modes.map((value) => ({ value, label: t(`network.modes.${value}`) }))}
          onChange={({ currentTarget: { value } }) => setMode(modes.find((one) => one === value) ?? mode)}
        />
        {mode === "enforce" && (
          <TextInput
            type="number"
            label={t("network.confirmIn")}
            min={1}
            max={longest}
            value={minutes}
            onChange={({ currentTarget: { valueAsNumber } }) => {
              if (Number.isFinite(valueAsNumber)) setMinutes(Math.min(longest, Math.max(1, Math.round(valueAsNumber))));
            }}
          />
        )}
        <TextInput
          label={t("network.why")}
          required
          maxLength={1024}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <p className="dim">
        {mode === "observe" ? t("network.observeText") : writable ? t("network.enforceText") : t("network.handOutText")}
        {mode === "enforce" && !writable && ` ${[why, how].filter(Boolean).join(" ")}`}
      </p>
      {publish.isError && (
        <p className={classes.problem} role="alert">
          {title} {remedy}
        </p>
      )}
      <div className={classes.buttons}>
        <Button
          type="submit"
          loading={publish.isPending}
          disabled={disabled || reason.trim() === ""}
          {...(mode === "enforce" && replayed.deniedConnections > 0 && { color: "red" })}
        >
          {t(`network.publishAs.${mode}`)}
        </Button>
        {disabled && <span className={classes.problem}>{t("network.hasErrors")}</span>}
      </div>
    </form>
  );
}
