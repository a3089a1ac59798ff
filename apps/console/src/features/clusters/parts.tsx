import type { KubeRow } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Line } from "../../ui/raw.tsx";
import classes from "./clusters.module.css";

/** The word that an object says of itself, with a sign that needs no colour. */
export function ObjectStatus({ object }: { object: Pick<KubeRow, "status" | "healthy" | "deletedAt"> }) {
  const { t } = useTranslation();
  const gone = object.deletedAt !== null;
  const text = gone ? t("cluster.gone") : object.status;
  if (text === "") return <span className="dim">–</span>;
  return (
    <span className={classes.state}>
      <span className={classes.dot} data-well={gone ? "gone" : String(object.healthy)} />
      <Line text={text} />
    </span>
  );
}

/** Whom an object is of: `Deployment/web`. */
export function workloadOf({ owners }: Pick<KubeRow, "owners">): string {
  const workload = owners.at(-1);
  return workload ? `${workload.kind}/${workload.name}` : "";
}
