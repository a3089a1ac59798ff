import { containersText, type Check } from "../check.ts";
import { isSet, items, text, type ContainerView } from "../pod.ts";

export const hostPorts: Check = {
  id: "hostPorts",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ containers }) {
        const bad = containers.filter((container) => portsOf(container).length > 0);
        if (bad.length === 0) return null;
        const ports = [...new Set(bad.flatMap(portsOf))].join(", ");
        return {
          reason: "hostPort",
          detail: `${containersText(bad.map(({ name }) => name))} must not use hostPort ${ports}`,
        };
      },
    },
  ],
};

function portsOf({ fields }: ContainerView): string[] {
  const ports = items(fields["ports"]).map(({ hostPort }) => hostPort);
  return ports.filter((port) => isSet(port) && port !== 0).map(text);
}
