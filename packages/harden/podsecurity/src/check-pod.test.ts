import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missing, suitesDir } from "@bulwark/testkit";
import fc from "fast-check";
import { checkPod, checks, type Level } from "./check-pod.ts";
import { runPodSecuritySuite } from "./conformance.ts";

test("every pod of the public suite: its verdict, and the check that fails", { skip: missing("suites") }, (context) => {
  const { pods, failed, failures } = runPodSecuritySuite(join(suitesDir(), "podsecurity"));
  context.diagnostic(`${pods} pods, ${failed} failed`);
  assert.deepEqual(failures, []);
  assert.equal(pods, 590);
});

/** A pod that passes everything, with something laid over its spec or its one container. */
function pod(spec: object = {}, container: object = {}, annotations: object = {}): object {
  const security = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", annotations },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [{ name: "c", securityContext: security, ...container }],
      ...spec,
    },
  };
}
const strict = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const failing = (level: Level, version: string, object: unknown): string[] =>
  checkPod(level, version, object).map(({ check }) => check);

/** Two neighbouring versions between which an answer turns. */
const turns: [what: string, level: Level, object: object, check: string, last: string, first: string, now: boolean][] =
  [
    ["reserved ports", "baseline", sysctl("net.ipv4.ip_local_reserved_ports"), "sysctls", "v1.26", "v1.27", true],
    ["keepalive", "baseline", sysctl("net.ipv4.tcp_keepalive_time"), "sysctls", "v1.28", "v1.29", true],
    ["receive buffers", "baseline", sysctl("net.ipv4.tcp_rmem"), "sysctls", "v1.31", "v1.32", true],
    ["slow start", "baseline", sysctl("net.ipv4.tcp_slow_start_after_idle"), "sysctls", "v1.36", "v1.37", true],
    [
      "container_engine_t",
      "baseline",
      pod({ securityContext: { seLinuxOptions: { type: "container_engine_t" } } }),
      "seLinuxOptions",
      "v1.30",
      "v1.31",
      true,
    ],
    [
      "a host in a probe",
      "baseline",
      pod({}, { livenessProbe: { httpGet: { host: "10.0.0.1", port: 1 } } }),
      "hostProbesAndHostLifecycle",
      "v1.33",
      "v1.34",
      false,
    ],
    [
      "a host in a hook of a sidecar",
      "baseline",
      pod({ initContainers: [{ name: "s", lifecycle: { preStop: { tcpSocket: { host: "x" } } } }] }),
      "hostProbesAndHostLifecycle",
      "v1.33",
      "v1.34",
      false,
    ],
    [
      "an unmasked /proc in a user namespace",
      "baseline",
      pod({ hostUsers: false }, { securityContext: { procMount: "Unmasked" } }),
      "procMount",
      "v1.34",
      "v1.35",
      true,
    ],
    [
      "an unmasked /proc, restricted",
      "restricted",
      pod({ hostUsers: false }, { securityContext: { ...strict, procMount: "Unmasked" } }),
      "procMount_restricted",
      "v1.34",
      "v1.35",
      false,
    ],
    [
      "root in a user namespace",
      "restricted",
      pod({ hostUsers: false, securityContext: { seccompProfile: { type: "Localhost" }, runAsUser: 0 } }),
      "runAsUser",
      "v1.34",
      "v1.35",
      true,
    ],
    [
      "no word of root in a user namespace",
      "restricted",
      pod({ hostUsers: false, securityContext: { seccompProfile: { type: "Localhost" } } }),
      "runAsNonRoot",
      "v1.34",
      "v1.35",
      true,
    ],
    [
      "root",
      "restricted",
      pod({}, { securityContext: { ...strict, runAsUser: 0 } }),
      "runAsUser",
      "v1.22",
      "v1.23",
      false,
    ],
    [
      "capabilities kept",
      "restricted",
      pod({}, { securityContext: { allowPrivilegeEscalation: false } }),
      "capabilities_restricted",
      "v1.21",
      "v1.22",
      false,
    ],
    [
      "no seccomp profile",
      "restricted",
      pod({ securityContext: { runAsNonRoot: true } }),
      "seccompProfile_restricted",
      "v1.18",
      "v1.19",
      false,
    ],
    [
      "an unconfined annotation",
      "baseline",
      pod({}, {}, { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" }),
      "seccompProfile_baseline",
      "v1.18",
      "v1.19",
      true,
    ],
    [
      "an unconfined field",
      "baseline",
      pod({ securityContext: { seccompProfile: { type: "Unconfined" } } }),
      "seccompProfile_baseline",
      "v1.18",
      "v1.19",
      false,
    ],
    [
      "escalation not forbidden",
      "restricted",
      pod({}, { securityContext: { capabilities: { drop: ["ALL"] } } }),
      "allowPrivilegeEscalation",
      "v1.7",
      "v1.8",
      false,
    ],
    [
      "Windows, escalation",
      "restricted",
      pod({ os: { name: "windows" } }, { securityContext: {} }),
      "allowPrivilegeEscalation",
      "v1.24",
      "v1.25",
      true,
    ],
    [
      "Windows, capabilities",
      "restricted",
      pod({ os: { name: "windows" } }, { securityContext: {} }),
      "capabilities_restricted",
      "v1.24",
      "v1.25",
      true,
    ],
    [
      "Windows, seccomp",
      "restricted",
      pod({ os: { name: "windows" }, securityContext: { runAsNonRoot: true } }),
      "seccompProfile_restricted",
      "v1.24",
      "v1.25",
      true,
    ],
  ];

function sysctl(name: string): object {
  return pod({ securityContext: { sysctls: [{ name, value: "1" }] } });
}

for (const [what, level, object, check, last, first, now] of turns) {
  test(`${what}: ${check} ${now ? "allows" : "denies"} it from ${first} on`, () => {
    assert.equal(failing(level, last, object).includes(check), now, last);
    assert.equal(failing(level, first, object).includes(check), !now, first);
    assert.equal(failing(level, "latest", object).includes(check), !now, "latest");
  });
}

test("what is the same in every version", () => {
  for (const version of ["v1.0", "v1.24", "1.30", "latest"]) {
    assert.deepEqual(failing("restricted", version, pod({ volumes: [{ name: "v", image: { reference: "a" } }] })), []);
    assert.deepEqual(
      failing("baseline", version, pod({ securityContext: { appArmorProfile: { type: "Unconfined" } } })),
      ["appArmorProfile"],
    );
    assert.deepEqual(
      failing(
        "baseline",
        version,
        pod({ ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }] }),
      ),
      ["privileged"],
    );
    assert.deepEqual(failing("restricted", version, pod({ volumes: [{ name: "v", somethingNew: {} }] })), [
      "restrictedVolumes",
    ]);
    assert.deepEqual(failing("privileged", version, pod({ hostPID: true })), []);
  }
});

test("a violation says who, what, and how to mend", () => {
  const bad = { name: "a", securityContext: { ...strict, capabilities: { drop: ["all"], add: ["NET_RAW"] } } };
  assert.deepEqual(checkPod("restricted", "v1.31", pod({ initContainers: [bad] })), [
    {
      check: "capabilities_baseline",
      reason: "non-default capabilities",
      detail: 'container "a" must not include "NET_RAW" in securityContext.capabilities.add',
    },
    {
      check: "capabilities_restricted",
      reason: "unrestricted capabilities",
      detail:
        'container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "NET_RAW" in securityContext.capabilities.add',
    },
  ]);
});

test("null is absent; a value of the wrong type is never taken for harmless", () => {
  const nulls = pod(
    { hostPID: null, volumes: null, initContainers: null },
    { ports: [{ hostPort: null }], lifecycle: null },
  );
  assert.deepEqual(failing("restricted", "latest", nulls), []);
  assert.deepEqual(failing("baseline", "latest", pod({ hostPID: "true" })), ["hostNamespaces"]);
  assert.deepEqual(failing("baseline", "latest", pod({}, { securityContext: { privileged: "yes" } })), ["privileged"]);
  assert.deepEqual(failing("baseline", "latest", pod({}, { securityContext: { capabilities: { add: [7] } } })), [
    "capabilities_baseline",
  ]);
});

test("any pod at all is answered, and what fails the baseline fails restricted", () => {
  const version = fc.integer({ min: 0, max: 40 }).map((minor) => `v1.${minor}`);
  const spec = fc.dictionary(
    fc.constantFrom("containers", "initContainers", "securityContext", "volumes", "os", "hostPID"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(version, fc.oneof(fc.jsonValue(), fc.record({ metadata: fc.jsonValue(), spec })), (at, object) => {
      const restricted = failing("restricted", at, object);
      for (const check of failing("baseline", at, object)) assert.ok(restricted.includes(check));
    }),
  );
});

test("a level or version that there is not is refused; versions of every check ascend", () => {
  assert.throws(() => checkPod("strict" as Level, "v1.31", {}), { code: "unknown-level" });
  for (const version of ["", "v2.0", "1.31.2", "v1.031", "LATEST"]) {
    assert.throws(() => checkPod("baseline", version, {}), { code: "unknown-version" }, version);
  }
  assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
  for (const { id, versions } of checks) {
    const from = versions.map((one) => one.from);
    assert.deepEqual(
      from,
      from.toSorted((a, b) => a - b),
      id,
    );
  }
});
