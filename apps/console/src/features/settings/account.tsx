import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Facts } from "../../ui/page.tsx";
import { useProblem } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import { sessionQuery } from "../session/session.ts";
import { Card } from "./card.tsx";
import classes from "./settings.module.css";

const shortest = 12;

/** Who is logged in, and their password. */
export function Account() {
  const { t } = useTranslation();
  const { data: session } = useQuery(sessionQuery);
  if (!session) return null;
  const { user, expiresAt } = session;
  return (
    <Card title={t("settings.account")} text={user.hasPassword ? t("settings.hasPassword") : t("settings.noPassword")}>
      <Facts
        items={[
          [t("login.name"), user.name],
          [t("settings.sessionEnds"), <Exact key="ends" time={expiresAt} />],
        ]}
      />
      <PasswordForm key={String(user.hasPassword)} name={user.name} hasPassword={user.hasPassword} />
    </Card>
  );
}

function PasswordForm({ name, hasPassword }: { name: string; hasPassword: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const set = useMutation({
    mutationFn: async () => api.setPassword({ body: { password, ...(hasPassword && { current }) } }),
    onSuccess: () => {
      setCurrent("");
      setPassword("");
      return client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const { title } = useProblem(set.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set.mutate();
  };
  const toggle = { "aria-label": t("login.showPassword") };
  return (
    <form className={classes.form} onSubmit={submit}>
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      {hasPassword && (
        <PasswordInput
          label={t("settings.currentPassword")}
          autoComplete="current-password"
          required
          value={current}
          visibilityToggleButtonProps={toggle}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
      )}
      <PasswordInput
        label={t("settings.newPassword")}
        description={t("settings.passwordRule", { count: shortest })}
        autoComplete="new-password"
        required
        minLength={shortest}
        maxLength={256}
        value={password}
        visibilityToggleButtonProps={toggle}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" loading={set.isPending}>
        {hasPassword ? t("settings.changePassword") : t("settings.setPassword")}
      </Button>
      <p role="status" className={set.isError ? classes.bad : classes.good}>
        {set.isError ? title : set.isSuccess ? t("settings.passwordSet") : ""}
      </p>
    </form>
  );
}
