import type { ConnectedRegistry, RegistrySettings } from "@bulwark/model";
import { Button, Modal, PasswordInput, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { useProblem } from "../../ui/states.tsx";
import classes from "./assets.module.css";

export type Hook = Answer<"newRegistryHook">;

const fresh: RegistrySettings = {
  name: "",
  url: "https://",
  authority: null,
  repositories: ["*"],
  tags: ["*"],
  newest: 20,
  everyHours: 24,
  platform: "linux/amd64",
};

interface Props {
  /** The one to change; undefined for a new one. */
  registry: ConnectedRegistry | undefined;
  close: () => void;
  saved: (hook: Hook | undefined) => void;
}

/** Connects a registry, or changes one. A password is never shown again: an empty field keeps the one that is there. */
export function RegistryForm({ registry, close, saved }: Props) {
  const { t } = useTranslation();
  const [settings, setSettings] = useState(registry?.settings ?? fresh);
  const [repositories, setRepositories] = useState(settings.repositories.join(", "));
  const [tags, setTags] = useState(settings.tags.join(", "));
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const set = (part: Partial<RegistrySettings>): void => setSettings((old) => ({ ...old, ...part }));
  const save = useMutation({
    mutationFn: async () => {
      const credentials = username === "" ? undefined : { username, password };
      const whole = { ...settings, repositories: listOf(repositories), tags: listOf(tags) };
      if (!registry)
        return (await api.addRegistry({ body: { settings: whole, credentials: credentials ?? null } })).hook;
      const body = credentials ? { settings: whole, credentials } : { settings: whole };
      await api.changeRegistry({ params: { id: registry.id }, body });
      return undefined;
    },
    onSuccess: saved,
    // The password must not stay in memory longer than it is sent.
    gcTime: 0,
  });
  const { title } = useProblem(save.error);
  return (
    <Modal
      opened
      onClose={close}
      title={registry ? t("registries.change") : t("registries.connect")}
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextInput
          data-autofocus
          label={t("field.name")}
          required
          maxLength={128}
          value={settings.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <TextInput
          label={t("registries.address")}
          description={t("registries.addressHint")}
          required
          maxLength={1024}
          value={settings.url}
          onChange={(event) => set({ url: event.currentTarget.value.trim() })}
        />
        <TextInput
          label={t("registries.user")}
          description={registry?.hasCredentials === true ? t("registries.keepHint") : undefined}
          maxLength={512}
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          label={t("registries.password")}
          description={t("registries.passwordHint")}
          required={username !== ""}
          autoComplete="off"
          value={password}
          visibilityToggleButtonProps={{ "aria-label": t("registries.showPassword") }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <TextInput
          label={t("registries.repositories")}
          description={t("registries.patternHint")}
          required
          value={repositories}
          onChange={(event) => setRepositories(event.currentTarget.value)}
        />
        <TextInput
          label={t("registries.tags")}
          required
          value={tags}
          onChange={(event) => setTags(event.currentTarget.value)}
        />
        <TextInput
          type="number"
          label={t("registries.newest")}
          min={1}
          max={1000}
          value={settings.newest}
          onChange={(event) => set({ newest: Number(event.currentTarget.value) || 1 })}
        />
        <TextInput
          type="number"
          label={t("registries.every")}
          description={t("registries.everyHint")}
          min={1}
          max={720}
          value={settings.everyHours ?? ""}
          onChange={({ currentTarget: { value } }) => set({ everyHours: value === "" ? null : Number(value) || 1 })}
        />
        <TextInput
          label={t("registries.platform")}
          required
          value={settings.platform}
          onChange={(event) => set({ platform: event.currentTarget.value.trim() })}
        />
        <Textarea
          label={t("registries.authority")}
          description={t("registries.authorityHint")}
          autosize
          minRows={2}
          maxRows={6}
          value={settings.authority ?? ""}
          onChange={(event) => set({ authority: event.currentTarget.value === "" ? null : event.currentTarget.value })}
        />
        {save.isError && <p role="alert">{title}</p>}
        <div className={classes.registryButtons}>
          <Button variant="default" onClick={close}>
            {t("tokens.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={settings.name.trim() === ""}>
            {t("registries.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
