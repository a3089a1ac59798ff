import { containersText, quoted, type Check, type Denial } from "../check.ts";
import { fields, isWindows, texts, type ContainerView, type PodView } from "../pod.ts";

const usual = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** Nothing beyond what runtimes give anyway, and not NET_RAW. */
export const capabilitiesBaseline: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ containers }) {
        const detail = addsBeyond(containers, usual);
        return detail === null ? null : { reason: "non-default capabilities", detail };
      },
    },
  ],
};

/** All dropped; only NET_BIND_SERVICE may come back. */
export const capabilitiesRestricted: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  versions: [
    { from: 22, test: dropsAll },
    { from: 25, test: (pod) => (isWindows(pod) ? null : dropsAll(pod)) },
  ],
};

function dropsAll({ containers }: PodView): Denial | null {
  const keep = containers.filter((container) => !listed(container, "drop").includes("ALL")).map(({ name }) => name);
  const kept = keep.length === 0 ? null : `${containersText(keep)} must set securityContext.capabilities.drop=["ALL"]`;
  const details = [kept, addsBeyond(containers, ["NET_BIND_SERVICE"])].filter((detail) => detail !== null);
  return details.length === 0 ? null : { reason: "unrestricted capabilities", detail: details.join("; ") };
}

function addsBeyond(containers: readonly ContainerView[], allowed: readonly string[]): string | null {
  const beyond = (container: ContainerView): string[] =>
    listed(container, "add").filter((capability) => !allowed.includes(capability));
  const bad = containers.filter((container) => beyond(container).length > 0);
  if (bad.length === 0) return null;
  const names = containersText(bad.map(({ name }) => name));
  return `${names} must not include ${quoted(bad.flatMap(beyond).sort((a, b) => (a < b ? -1 : 1)))} in securityContext.capabilities.add`;
}

function listed({ security }: ContainerView, list: "add" | "drop"): string[] {
  return texts(fields(security["capabilities"])[list]);
}
