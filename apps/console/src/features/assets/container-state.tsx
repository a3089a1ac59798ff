import type { Container } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Tag } from "../../ui/page.tsx";
import classes from "./assets.module.css";

export function ContainerState({ state }: { state: Container["state"] }) {
  const { t } = useTranslation();
  return (
    <span className={classes.state}>
      <span className={classes.dot} data-state={state} />
      {t(`containerState.${state}`)}
    </span>
  );
}

/** What makes a container's breakout easy. */
export function ContainerFlags({ container }: { container: Container }) {
  const { t } = useTranslation();
  return (
    <span className={classes.flags}>
      {container.privileged && <Tag tone="bad">{t("container.privileged")}</Tag>}
      {container.hostNamespaces.length > 0 && (
        <Tag tone="warn">{t("container.host", { namespaces: container.hostNamespaces.join(", ") })}</Tag>
      )}
    </span>
  );
}
