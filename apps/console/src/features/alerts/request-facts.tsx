import type { ApiRequest } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Facts } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { requestText } from "./texts.ts";

/** Who asked an API server for what, and what that belongs to. */
export function RequestFacts({ request }: { request: ApiRequest }) {
  const { t } = useTranslation();
  const { cluster, user, owners, labels } = request;
  const workload = owners.at(-1);
  const pairs = Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(", ");
  return (
    <Facts
      items={[
        [t("cluster.user"), <Raw key="user" text={user} />],
        [t("alerts.request"), <Raw key="request" text={requestText(request)} />],
        [
          t("cluster.workload"),
          workload && <Raw key="workload" mono={false} text={`${workload.kind}/${workload.name}`} />,
        ],
        [t("cluster.podLabels"), pairs !== "" && <Raw key="labels" text={pairs} limit={240} />],
        [t("cluster.name"), <Raw key="cluster" text={cluster} mono={false} />],
      ]}
    />
  );
}
