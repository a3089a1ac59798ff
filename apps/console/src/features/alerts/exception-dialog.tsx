import type { StoredAlert } from "@bulwark/model";
import { Button, Modal, NativeSelect, SegmentedControl } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Facts } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { useProblem } from "../../ui/states.tsx";
import { Reason } from "./reason.tsx";
import { useUpdateAlert } from "./update-alert.ts";
import classes from "./alerts.module.css";

const lives = [1, 7, 30, 90];
const day = 86_400_000;
const breadths = ["narrow", "image", "namespace"] as const;
type Breadth = (typeof breadths)[number];

/** No more such alerts: of this rule, this program, this workload's container, until a day. Closes the alert too. */
export function ExceptionDialog({ alert, close }: { alert: StoredAlert; close: () => void }) {
  const { t } = useTranslation();
  const [breadth, setBreadth] = useState<Breadth>("narrow");
  const [days, setDays] = useState(7);
  const [reason, setReason] = useState(t("exception.reasonHint"));
  const update = useUpdateAlert();
  const scope = scopeOf(alert, breadth);
  const who = alert.request?.user ?? alert.process?.executable ?? "";
  const make = useMutation({
    mutationFn: async () =>
      api.createException({
        body: { rule: alert.rule, scope, executable: who, reason: reason.trim(), expiresAt: inDays(days) },
      }),
    onSuccess: () => {
      update.mutate({ id: alert.id, state: "closed", comment: reason.trim() });
      close();
    },
  });
  const { title, remedy } = useProblem(make.error);
  const possible = alert.request
    ? (["narrow"] as const)
    : breadths.filter((value) => value !== "namespace" || alert.container?.pod);
  return (
    <Modal opened onClose={close} title={t("exception.title")} closeButtonProps={{ "aria-label": t("detail.close") }}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Facts
          items={[
            [t("field.rule"), <code key="rule">{alert.rule}</code>],
            [alert.request ? t("cluster.user") : t("exception.program"), <Raw key="program" text={who} />],
            [t("exception.where"), <Raw key="where" text={Object.values(scope).flat().filter(Boolean).join(", ")} />],
          ]}
        />
        <NativeSelect
          label={t("exception.breadth")}
          value={breadth}
          data={possible.map((value) => ({ value, label: t(`exception.breadths.${value}`) }))}
          onChange={({ currentTarget: { value } }) => setBreadth(breadths.find((known) => known === value) ?? breadth)}
        />
        <SegmentedControl
          aria-label={t("exception.life")}
          value={String(days)}
          data={lives.map((value) => ({ value: String(value), label: t("tokens.days", { count: value }) }))}
          onChange={(value) => setDays(Number(value))}
        />
        <Reason value={reason} change={setReason} />
        {make.isError && (
          <p className={classes.problem} role="alert">
            {title}. {remedy}
          </p>
        )}
        <div className={classes.buttons}>
          <Button type="submit" data-autofocus loading={make.isPending} disabled={reason.trim() === ""}>
            {t("exception.make")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("tokens.cancel")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function inDays(days: number): number {
  return Date.now() + days * day;
}

/** As narrow as what names the same workload tomorrow: a container's id is another one then. */
function scopeOf({ container, request }: StoredAlert, breadth: Breadth) {
  const scope = { namespaces: [] as string[], images: [] as string[], containers: [] as string[], labels: "" };
  if (request && request.namespace !== "") scope.namespaces.push(request.namespace);
  if (!container) return scope;
  const { pod, image, name } = container;
  if (breadth !== "image" && pod) scope.namespaces.push(pod.namespace);
  if (breadth === "namespace") return scope;
  if (image.name !== "") scope.images.push(image.name);
  if (breadth === "narrow") scope.containers.push(pod ? pod.container : name);
  return scope;
}
