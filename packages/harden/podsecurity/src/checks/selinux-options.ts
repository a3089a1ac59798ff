import { quoted, settersText, type Check, type Denial } from "../check.ts";
import { fields, isSet, text, type Fields, type PodView } from "../pod.ts";

const types = ["", "container_t", "container_init_t", "container_kvm_t"];

export const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  versions: [
    { from: 0, test: (pod) => only(pod, types) },
    { from: 31, test: (pod) => only(pod, [...types, "container_engine_t"]) },
  ],
};

function only({ security, containers }: PodView, allowed: readonly string[]): Denial | null {
  const wrong = (context: Fields): string[] => problems(fields(context["seLinuxOptions"]), allowed);
  const ofPod = wrong(security);
  const bad = containers.filter((container) => wrong(container.security).length > 0);
  const all = new Set([...ofPod, ...bad.flatMap((container) => wrong(container.security))]);
  if (all.size === 0) return null;
  const setters = settersText(
    ofPod.length > 0,
    bad.map(({ name }) => name),
  );
  return {
    reason: "seLinuxOptions",
    detail: `${setters} set forbidden securityContext.seLinuxOptions: ${[...all].join("; ")}`,
  };
}

function problems(options: Fields, allowed: readonly string[]): string[] {
  const { type, user, role } = options;
  return [
    ...(isSet(type) && !allowed.includes(text(type)) ? [`type ${quoted([text(type)])}`] : []),
    ...(isSet(user) && user !== "" ? ["user may not be set"] : []),
    ...(isSet(role) && role !== "" ? ["role may not be set"] : []),
  ];
}
