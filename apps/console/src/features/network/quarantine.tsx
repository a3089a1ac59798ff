import { Button, Modal } from "@mantine/core";
import type { Container, ListedEnd } from "@bulwark/model";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Line } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { ActDialog } from "../alerts/act-dialog.tsx";
import { useContainersOf } from "./containers.ts";
import { endName } from "./ends.ts";
import classes from "./network.module.css";
import { WorkloadQuarantineDialog } from "./workload-quarantine.tsx";

/** What of a workload is to be cut off, all of it or a container; then what that would do, then the deed. */
export function Quarantine({ end, close }: { end: ListedEnd; close: () => void }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Container | "workload">();
  const { data, error, refetch } = useContainersOf(end);
  const isWorkload = end.workload !== null && end.workload.namespace !== "" && end.workload.pod === null;
  const [only, ...others] = data?.items ?? [];
  const container = chosen ?? (others.length === 0 && !isWorkload ? only : undefined);
  if (container === "workload") return <WorkloadQuarantineDialog end={end} close={close} />;
  if (container) return <ActDialog alert={null} container={container} close={close} />;
  return (
    <Modal
      opened
      onClose={close}
      title={t("network.cutOf", { name: endName(end) })}
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      {data ? (
        <>
          <p className="dim">{data.items.length === 0 ? t("network.noContainer") : t("network.whichContainer")}</p>
          <div className={classes.buttons}>
            {isWorkload && (
              <Button color="red" variant="light" onClick={() => setChosen("workload")}>
                {t("network.wholeWorkload")}
              </Button>
            )}
            {data.items.map((one) => (
              <Button key={`${one.node} ${one.id}`} variant="default" onClick={() => setChosen(one)}>
                <Line text={`${one.pod?.name ?? one.name} · ${one.pod?.container ?? one.name} · ${one.node}`} />
              </Button>
            ))}
          </div>
        </>
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={3} />
      )}
    </Modal>
  );
}
