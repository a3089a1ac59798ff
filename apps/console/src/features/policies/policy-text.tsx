import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { CardLine } from "../../ui/card.tsx";
import { Line } from "../../ui/raw.tsx";
import { useProblem } from "../../ui/states.tsx";
import { placeOf, VerdictTag } from "./parts.tsx";
import classes from "./policies.module.css";

interface Props {
  /** Of the document; empty for a new one. */
  name: string;
  text: string;
  close: () => void;
}

/** A policy of one's own: what it would deny is shown before it is saved. */
export function PolicyText({ name: known, text: before, close }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(known);
  const [text, setText] = useState(before);
  const preview = useMutation({ mutationFn: async () => api.previewPolicies({ body: { text } }) });
  const save = useMutation({
    mutationFn: async () => api.putPolicyDocument({ params: { id: name }, body: { text } }),
    async onSuccess() {
      await Promise.all([["policies"], ["policy"]].map(async (queryKey) => client.invalidateQueries({ queryKey })));
      close();
    },
  });
  const { title, remedy } = useProblem(save.error ?? preview.error);
  const isEmpty = text.trim() === "";
  return (
    <Modal
      opened
      onClose={close}
      size="xl"
      title={t("policy.write")}
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
          label={t("policy.document")}
          required
          disabled={known !== ""}
          maxLength={253}
          value={name}
          onChange={(event) => setName(event.currentTarget.value.trim())}
        />
        <Textarea
          className={classes.editor ?? ""}
          label={t("policy.text")}
          description={t("policy.textHint")}
          required
          spellCheck={false}
          rows={14}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {(save.isError || preview.isError) && (
          <p role="alert" style={{ whiteSpace: "pre-wrap" }}>
            {title} {remedy}
          </p>
        )}
        {preview.data && <Preview data={preview.data} />}
        <div className={classes.buttons}>
          <Button
            variant="default"
            loading={preview.isPending}
            disabled={isEmpty}
            onClick={() => {
              save.reset();
              preview.mutate();
            }}
          >
            {t("policy.preview")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={isEmpty || name === ""}>
            {t("policy.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Preview({ data: { policies, looks } }: { data: Answer<"previewPolicies"> }) {
  const { t } = useTranslation();
  const problems = looks.flatMap(({ cluster, problems: all }) => all.map((text) => `${cluster}: ${text}`));
  return (
    <section className={classes.impact} aria-label={t("policy.impact")} role="status">
      {looks.length === 0 && <p>{t("policy.noCluster")}</p>}
      {policies.map((policy) => (
        <div key={policy.policy}>
          <p>
            <strong>{policy.policy}</strong> {t("policy.found", policy)}{" "}
            <span className="dim">{t("policy.ofObjects", { count: policy.judged })}</span>
          </p>
          <ul className={classes.list}>
            {policy.violations.slice(0, 20).map((one) => (
              <li key={`${one.cluster} ${one.kind} ${placeOf(one)}`} className={classes.item}>
                <CardLine>
                  <VerdictTag value={one.verdict} />
                  <span className={`cut ${classes.name}`}>
                    <Line text={placeOf(one)} />
                  </span>
                  <span className="dim cut">
                    <Line text={one.message} />
                  </span>
                </CardLine>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {problems.length > 0 && <p className="dim">{t("policy.unread", { count: problems.length })}</p>}
    </section>
  );
}
