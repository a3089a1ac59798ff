import { containersText, quoted, type Check } from "../check.ts";
import { fields, isSet, text, type ContainerView } from "../pod.ts";

/** Probes and hooks are sent by the kubelet: a host of one's choice makes it call from the node. */
export const hostProbesAndHostLifecycle: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  versions: [
    {
      from: 34,
      test({ containers }) {
        const bad = containers.filter((container) => hosts(container).length > 0);
        if (bad.length === 0) return null;
        const names = containersText(bad.map(({ name }) => name));
        const detail = `${names} must not set a host in probes or lifecycle hooks: ${quoted(bad.flatMap(hosts))}`;
        return { reason: "probe or lifecycle host", detail };
      },
    },
  ],
};

function hosts({ fields: container }: ContainerView): string[] {
  const lifecycle = fields(container["lifecycle"]);
  const handlers = [
    container["livenessProbe"],
    container["readinessProbe"],
    container["startupProbe"],
    lifecycle["postStart"],
    lifecycle["preStop"],
  ].map(fields);
  const found = handlers.flatMap(({ httpGet, tcpSocket }) => [fields(httpGet)["host"], fields(tcpSocket)["host"]]);
  return found.filter((host) => isSet(host) && host !== "").map(text);
}
