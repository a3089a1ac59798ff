import { Button, Modal, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Command, CopyButton } from "../../ui/copy.tsx";
import { useProblem } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import classes from "./clusters.module.css";

const lives = [1, 24, 168];
/** Where agents connect unless the server says otherwise. */
const agentPort = 8444;

/** Makes the token with which a cluster and its agents join, and shows it this once. */
export function JoinCluster({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [hours, setHours] = useState(24);
  const cluster = name.trim();
  const make = useMutation({
    mutationFn: async () => api.createJoinToken({ body: { cluster, hours } }),
    // The token must not stay in memory longer than it is shown.
    gcTime: 0,
  });
  const { title } = useProblem(make.error);
  const server = `--server https://${location.hostname}:${agentPort}`;

  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={t("cluster.join.title")}
      closeOnClickOutside={!make.isSuccess}
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      {make.isSuccess ? (
        <div className={classes.form}>
          <p>
            {t("tokens.once")} {t("cluster.join.until")} <Exact time={make.data.expiresAt} />
          </p>
          <div className={classes.secret}>
            <code>{make.data.token}</code>
            <CopyButton text={make.data.token} />
          </div>
          <p>{t("cluster.join.collector")}</p>
          <Command text={`bulwark cluster ${server} --cluster ${cluster}`} />
          <p>{t("cluster.join.agents")}</p>
          <Command text={`bulwark agent ${server}`} />
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
          <p className="dim">{t("cluster.join.text")}</p>
          <TextInput
            data-autofocus
            label={t("field.name")}
            placeholder="east"
            required
            maxLength={128}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <SegmentedControl
            aria-label={t("tokens.life")}
            value={String(hours)}
            data={lives.map((value) => ({ value: String(value), label: t("cluster.join.hours", { count: value }) }))}
            onChange={(value) => setHours(Number(value))}
          />
          {make.isError && <p role="alert">{title}</p>}
          <div className={classes.buttons}>
            <Button variant="default" onClick={close}>
              {t("tokens.cancel")}
            </Button>
            <Button type="submit" loading={make.isPending} disabled={cluster === ""}>
              {t("cluster.join.make")}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
