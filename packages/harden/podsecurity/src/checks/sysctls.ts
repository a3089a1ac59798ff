import type { Check, Denial } from "../check.ts";
import { items, text, type PodView } from "../pod.ts";

const from0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const from27 = [...from0, "net.ipv4.ip_local_reserved_ports"];
const from29 = [
  ...from27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const from32 = [...from29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];
const from37 = [...from32, "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"];

/** Only those that are of the pod's own namespaces and cannot harm others. */
export const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  versions: [
    { from: 0, test: (pod) => only(pod, from0) },
    { from: 27, test: (pod) => only(pod, from27) },
    { from: 29, test: (pod) => only(pod, from29) },
    { from: 32, test: (pod) => only(pod, from32) },
    { from: 37, test: (pod) => only(pod, from37) },
  ],
};

function only({ security }: PodView, allowed: readonly string[]): Denial | null {
  const names = items(security["sysctls"]).map(({ name }) => text(name));
  const bad = names.filter((name) => !allowed.includes(name));
  return bad.length === 0 ? null : { reason: "forbidden sysctls", detail: bad.join(", ") };
}
