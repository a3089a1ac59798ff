import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api, ApiError, type Session } from "../../api/client.ts";
import { Command } from "../../ui/copy.tsx";
import { AlertIcon } from "../../ui/icons.tsx";
import { Logo } from "../../ui/logo.tsx";
import { Preferences } from "../settings/preferences.tsx";
import classes from "./login-page.module.css";
import { begin, loginWithLink, safeTarget } from "./session.ts";

/** Logs in by the one-time link in the address, else by name and password. */
export function LoginPage() {
  const { t } = useTranslation();
  const enter = useEnter();
  const [token, setToken] = useState(tokenInAddress);
  const link = useMutation({ mutationFn: loginWithLink, onSuccess: enter });
  const { mutate } = link;

  useEffect(() => {
    document.title = `${t("login.title")} · ${t("app.name")}`;
  }, [t]);
  useEffect(() => {
    const look = (): void => setToken(tokenInAddress());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  useEffect(() => {
    if (token !== undefined) mutate(token);
  }, [token, mutate]);

  return (
    <main className={classes.page}>
      <div className={classes.box}>
        <Logo size={36} />
        <h1 className={classes.title}>{t("login.title")}</h1>
        {token !== undefined && !link.isError ? (
          <output className={classes.lead}>{t("login.entering")}</output>
        ) : (
          <>
            {link.isError && <LoginError error={link.error} />}
            <PasswordForm enter={enter} />
            <p className={classes.hint}>{t("login.linkHint")}</p>
            <Command text="bulwark login" />
          </>
        )}
      </div>
      <footer className={classes.footer}>
        <Preferences />
      </footer>
    </main>
  );
}

function useEnter(): (session: Session) => void {
  const router = useRouter();
  const { next } = useSearch({ from: "/login" });
  return (session) => {
    begin(session);
    // The link leaves the address and the history with it.
    router.history.replace(safeTarget(next));
  };
}

function tokenInAddress(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
}

function PasswordForm({ enter }: { enter: (session: Session) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: async () => api.loginWithPassword({ body: { name, password } }),
    onSuccess: enter,
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        login.mutate();
      }}
    >
      {login.isError && <LoginError error={login.error} />}
      <TextInput
        size="sm"
        label={t("login.name")}
        value={name}
        autoComplete="username"
        maxLength={64}
        required
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <PasswordInput
        size="sm"
        label={t("login.password")}
        value={password}
        autoComplete="current-password"
        maxLength={256}
        required
        visibilityToggleButtonProps={{ "aria-label": t("login.showPassword") }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="sm" fullWidth loading={login.isPending}>
        {t("login.submit")}
      </Button>
    </form>
  );
}

function LoginError({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <div className={classes.error} role="alert">
      <AlertIcon size={16} />
      <span>{textOf()}</span>
    </div>
  );

  function textOf(): ReactNode {
    if (!(error instanceof ApiError)) return t("state.unreachable");
    if (error.status === 429) return t("login.tooMany");
    if (error.status !== 401 && error.status !== 400) return error.problem.message;
    return error.problem.message.includes("password") ? t("login.wrong") : t("login.linkSpent");
  }
}
