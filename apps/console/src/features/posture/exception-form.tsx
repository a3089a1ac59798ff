import type { BenchmarkCheckDetail } from "@bulwark/contract";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useProblem } from "../../ui/states.tsx";
import classes from "./posture.module.css";
import { assetOf } from "./search.ts";

const lives = [30, 90, 180, 365];

/** A decision that a check need not hold: where, why, and until when. */
export function ExceptionForm({ check, done }: { check: BenchmarkCheckDetail; done: () => void }) {
  const { t } = useTranslation();
  const assets = check.subjects.map(({ subject }) => `${subject.kind}/${subject.name}`);
  const [asset, setAsset] = useState(assets[0] ?? "");
  const [reason, setReason] = useState("");
  const [days, setDays] = useState("90");
  const add = useMutation({
    mutationFn: async () =>
      api.createBenchmarkException({
        body: { check: check.check, subject: asset === "" ? null : assetOf(asset), reason, days: Number(days) },
      }),
    onSuccess: done,
  });
  const { title } = useProblem(add.error);
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <NativeSelect
        label={t("posture.scope")}
        value={asset}
        onChange={(event) => setAsset(event.currentTarget.value)}
        data={[
          ...assets.map((value) => ({ value, label: assetOf(value).name })),
          { value: "", label: t("posture.everywhere") },
        ]}
      />
      <TextInput
        label={t("posture.reason")}
        required
        maxLength={2048}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <NativeSelect
        label={t("posture.holdsFor")}
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        data={lives.map((count) => ({ value: String(count), label: t("posture.days", { count }) }))}
      />
      {add.isError && <p role="alert">{title}</p>}
      <div className={classes.buttons}>
        <Button type="submit" loading={add.isPending} disabled={reason.trim() === ""}>
          {t("posture.addException")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("posture.cancel")}
        </Button>
      </div>
    </form>
  );
}
