import { Button, Modal, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { useProblem } from "../../ui/states.tsx";
import classes from "./settings.module.css";

const lives = [7, 30, 90, 365];

/** Makes a token, and shows its secret this once. */
export function NewToken({ close, made }: { close: () => void; made: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<"read" | "write">("read");
  const [days, setDays] = useState(30);
  const make = useMutation({
    mutationFn: async () => api.createToken({ body: { name: name.trim(), scope, days } }),
    onSuccess: made,
    // The secret must not stay in memory longer than it is shown.
    gcTime: 0,
  });
  const { title } = useProblem(make.error);

  return (
    <Modal
      opened
      onClose={close}
      title={t("tokens.make")}
      closeOnClickOutside={!make.isSuccess}
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      {make.isSuccess ? (
        <div className={classes.form}>
          <p>{t("tokens.once")}</p>
          <div className={classes.secret}>
            <code>{make.data.secret}</code>
            <CopyButton text={make.data.secret} />
          </div>
          <div className={classes.buttons}>
            <Button onClick={close}>{t("tokens.done")}</Button>
          </div>
        </div>
      ) : (
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            make.mutate();
          }}
        >
          <TextInput
            data-autofocus
            label={t("field.name")}
            placeholder={t("tokens.nameHint")}
            required
            maxLength={128}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Field label={t("tokens.scope")}>
            <SegmentedControl
              aria-label={t("tokens.scope")}
              value={scope}
              data={(["read", "write"] as const).map((value) => ({ value, label: t(`tokens.scopes.${value}`) }))}
              onChange={(value) => setScope(value === "write" ? "write" : "read")}
            />
          </Field>
          <Field label={t("tokens.life")}>
            <SegmentedControl
              aria-label={t("tokens.life")}
              value={String(days)}
              data={lives.map((value) => ({ value: String(value), label: t("tokens.days", { count: value }) }))}
              onChange={(value) => setDays(Number(value))}
            />
          </Field>
          {make.isError && (
            <p role="alert" className={classes.bad}>
              {title}
            </p>
          )}
          <div className={classes.buttons}>
            <Button variant="default" onClick={close}>
              {t("tokens.cancel")}
            </Button>
            <Button type="submit" loading={make.isPending} disabled={name.trim() === ""}>
              {t("tokens.make")}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function Field({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className={classes.field}>
      <span aria-hidden="true">{label}</span>
      {children}
    </div>
  );
}
