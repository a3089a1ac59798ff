import {
  packagesOnly,
  plainPackage,
  type Alert,
  type AuditEvent,
  type Container,
  type KubeObject,
  type ProcessEvent,
  type ImageReport,
  type Secret,
  type Vulnerability,
  type Weakness,
} from "@bulwark/model";

/** Plausible objects for tests of what stores, sends and shows them. `n` makes them differ. */
export function sampleContainer(n: number, change: Partial<Container> = {}): Container {
  return {
    id: `c${n.toString().padStart(11, "0")}`,
    node: "node-1",
    runtime: "containerd",
    runtimeNamespace: "default",
    name: `web-${n}`,
    image: { name: `registry.example/web:${n % 7}`, digest: `sha256:${(n % 7).toString(16).padStart(64, "0")}` },
    labels: { app: "web", tier: String(n % 3) },
    pod: null,
    state: "running",
    startedAt: 1_700_000_000_000 + n * 1000,
    finishedAt: null,
    pid: 1000 + n,
    rootfs: `/run/containerd/io.containerd.runtime.v2.task/default/c${n}/rootfs`,
    mounts: [],
    capabilities: ["CAP_CHOWN"],
    privileged: false,
    hostNamespaces: [],
    ...change,
  };
}

const process: ProcessEvent["process"] = {
  pid: 4242,
  containerPid: 7,
  parentPid: 4200,
  startTime: "123456789",
  name: "sh",
  executable: "/bin/busybox",
  arguments: ["sh", "-c", "id"],
  argumentsCut: false,
  workingDirectory: "/",
  uid: 0,
  gid: 0,
  effectiveUid: 0,
  capabilities: "00000000a80425fb",
  origin: "image",
  stdio: [],
};

function refOf({ id, name, runtime, image, pod, labels }: Container): NonNullable<ProcessEvent["container"]> {
  return { id, name, runtime, image, pod, labels };
}

export function sampleEvent(n: number, change: Partial<ProcessEvent> = {}): ProcessEvent {
  return {
    id: `node-1/boot/${n}`,
    time: 1_700_000_000_000 + n,
    node: "node-1",
    kind: "exec",
    attribution: "container",
    container: refOf(sampleContainer(n % 50)),
    process: { ...process, pid: 1000 + (n % 30_000), arguments: ["sh", "-c", `job --number ${n}`] },
    ancestors: [{ pid: 1, startTime: "1", name: "init", executable: "/sbin/init", arguments: ["init"], uid: 0 }],
    exitCode: null,
    connection: null,
    ...change,
  };
}

export function sampleAlert(n: number, change: Partial<Alert> = {}): Alert {
  return {
    id: `node-1/boot/alert-${n}`,
    time: 1_700_000_000_000 + n,
    node: "node-1",
    rule: "reverse-shell",
    title: "Reverse shell",
    description: "A shell reads its commands from the network.",
    remedy: "Find out who started it.",
    severity: "critical",
    techniques: ["T1059.004"],
    attribution: "container",
    container: refOf(sampleContainer(n % 50)),
    process,
    ancestors: [],
    evidence: [{ key: "peer", value: "192.0.2.7:4444" }],
    events: [`node-1/boot/${n}`],
    ...change,
  };
}

export function sampleVulnerability(n: number, change: Partial<Vulnerability> = {}): Vulnerability {
  return {
    id: `CVE-2024-${1000 + n}`,
    aliases: [],
    package: `lib${n % 40}`,
    source: `lib${n % 40}`,
    version: "1.0-1",
    purl: `pkg:deb/debian/lib${n % 40}@1.0-1`,
    fixedVersion: n % 2 === 0 ? "1.0-2" : null,
    state: n % 2 === 0 ? "fixed" : "unfixed",
    severity: (["critical", "high", "medium", "low"] as const)[n % 4] ?? "low",
    cvss: { score: 9.8 - (n % 9), vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
    summary: `Weakness number ${n}`,
    exploited: n % 50 === 0,
    epss: n % 3 === 0 ? (n % 100) / 100 : null,
    published: "2024-05-01T00:00:00Z",
    references: [],
    feed: "osv:Debian",
    ...change,
  };
}

/** A vulnerability of a package, as it lies in an image. */
export function sampleWeakness(n: number, change: Partial<Vulnerability> = {}): Weakness {
  return {
    kind: "vulnerability",
    locations: ["/var/lib/dpkg/status"],
    layer: null,
    step: null,
    origin: null,
    vulnerability: sampleVulnerability(n, change),
  };
}

export function sampleSecret(n: number, change: Partial<Secret> = {}): Secret {
  return {
    kind: "aws-access-key",
    title: "AWS access key",
    severity: "high",
    location: `/srv/app/config-${n}.env`,
    line: 3,
    masked: "AKIA************MPLE",
    fingerprint: n.toString(16).padStart(64, "0"),
    layer: `sha256:${"a".repeat(64)}`,
    step: "COPY . /srv/app",
    removed: false,
    remedy: "Revoke it where it was issued.",
    ...change,
  };
}

export function sampleReport(n: number): ImageReport {
  const { image } = sampleContainer(n);
  return {
    key: `${image.name}@${image.digest ?? ""}`,
    name: image.name,
    digest: image.digest,
    source: "image",
    scannedAt: 1_700_000_000_000,
    durationMs: 900,
    inventory: {
      os: { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" },
      packages: [
        {
          type: "deb",
          name: "libssl3",
          version: "3.0.11-1~deb12u1",
          architecture: "amd64",
          source: { name: "openssl", version: "3.0.11-1~deb12u1" },
          purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12",
          licences: [],
          location: "/var/lib/dpkg/status",
          layer: null,
          ...plainPackage,
        },
      ],
      extractors: [{ extractor: "dpkg", state: "done", errors: [] }],
    },
    ...packagesOnly,
  };
}

/** A pod of a Deployment by way of a ReplicaSet: `uid`s are made of the names, unless they are changed. */
export function samplePod(n: number, change: Partial<KubeObject> = {}): KubeObject {
  const owner = { kind: "ReplicaSet", apiVersion: "apps/v1", name: "web-5d4f", uid: "uid-rs-web" };
  return {
    cluster: "test",
    uid: `uid-pod-${n}`,
    kind: "Pod",
    apiVersion: "v1",
    namespace: "shop",
    name: `web-5d4f-${n}`,
    labels: { app: "web", n: String(n) },
    owner,
    node: `node-${n % 3}`,
    status: "Running",
    healthy: true,
    facts: [],
    containers: [],
    createdAt: 1_700_000_000_000,
    ...change,
  };
}

/** An object that is no pod. */
export function sampleKubeObject(kind: string, name: string, change: Partial<KubeObject> = {}): KubeObject {
  const uid = `uid-${kind.toLowerCase()}-${name}`;
  return { ...samplePod(0), kind, name, uid, apiVersion: "apps/v1", labels: {}, owner: null, node: null, ...change };
}

export function sampleAudit(n: number, change: Partial<AuditEvent["audit"]> = {}): AuditEvent {
  return {
    id: `test/audit/id-${n}/ResponseComplete`,
    time: 1_700_000_000_000 + n,
    node: "server",
    kind: "audit",
    audit: {
      cluster: "test",
      stage: "ResponseComplete",
      verb: "create",
      user: "jane@example.com",
      groups: ["system:authenticated"],
      impersonated: "",
      sourceIps: ["192.0.2.1"],
      userAgent: "kubectl",
      object: { group: "", resource: "pods", subresource: "exec", namespace: "shop", name: `web-${n}` },
      uri: `/api/v1/namespaces/shop/pods/web-${n}/exec?command=id`,
      status: 101,
      decision: "allow",
      reason: "",
      ...change,
    },
  };
}
