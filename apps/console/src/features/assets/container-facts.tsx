import type { ContainerRef } from "@bulwark/model";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Facts } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";

/** What a container is: the same for one of now and one of the time of an alert. */
export function ContainerFacts({ container, node }: { container: ContainerRef; node: string }) {
  const { t } = useTranslation();
  const { image, pod, runtime } = container;
  const workload = pod?.metadata?.owners.at(-1);
  const podLabels = Object.entries(pod?.metadata?.labels ?? {})
    .map((pair) => pair.join("="))
    .join(", ");
  return (
    <Facts
      items={[
        [t("field.name"), <Raw key="name" text={container.name} mono={false} />],
        [
          t("field.image"),
          image.digest === null ? (
            <Raw key="image" text={image.name} mono={false} />
          ) : (
            <Link key="image" to="/assets/images" search={{ id: `${image.name}@${image.digest}` }}>
              <Raw text={image.name} mono={false} />
            </Link>
          ),
        ],
        [t("field.digest"), image.digest !== null && <code key="digest">{image.digest}</code>],
        [
          t("field.pod"),
          pod && <Raw key="pod" mono={false} text={`${pod.namespace}/${pod.name} (${pod.container})`} />,
        ],
        [
          t("cluster.workload"),
          workload && <Raw key="workload" mono={false} text={`${workload.kind}/${workload.name}`} />,
        ],
        [t("cluster.podLabels"), podLabels !== "" && <Raw key="labels" text={podLabels} limit={240} />],
        [t("field.node"), node],
        [t("field.runtime"), runtime],
        [t("field.id"), <code key="id">{container.id}</code>],
      ]}
    />
  );
}
