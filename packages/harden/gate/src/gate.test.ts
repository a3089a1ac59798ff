import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { compilePolicy, requestFor, type AdmissionRequest, type Json } from "@bulwark/admission";
import { createAuthority, openAuthority } from "@bulwark/identity";
import { policySetting, type PolicySetting } from "@bulwark/model";
import { nativeGuard, type Guard, type Surroundings } from "./guard.ts";
import { judge } from "./judge.ts";
import { createListener, type ListenerOptions } from "./listener.ts";
import { readReview } from "./review.ts";
import { guardsOf, webhookConfiguration } from "./webhooks.ts";

const now = Date.parse("2026-06-01T12:00:00Z");
const pods = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] };

function policy(name: string, spec: Json = {}): Json {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [pods] },
      validations: [
        { expression: "!object.spec.?hostNetwork.orValue(false)", message: "the host's network is not yours" },
      ],
      ...spec,
    },
  };
}
const labelling: Json = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingAdmissionPolicy",
  metadata: { name: "team" },
  spec: {
    matchConstraints: { resourceRules: [pods] },
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: {'team': 'shop'}}}" },
      },
    ],
  },
};

function guard(object: Json, setting: Partial<PolicySetting> = {}, bindings: Json[] = []): Guard {
  const { name } = object["metadata"] as { name: string };
  return nativeGuard(
    compilePolicy(object),
    bindings,
    policySetting.parse({ policy: name, mode: "enforce", ...setting }),
  );
}

function pod(spec: Json = {}, annotations: Record<string, string> = {}): Json {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop", annotations }, spec };
}
const bad = requestFor(pod({ hostNetwork: true }));
const good = requestFor(pod());

function surroundings(change: Partial<Surroundings> = {}): Surroundings {
  return {
    namespace: { metadata: { name: "shop" } },
    paramsOf: () => [],
    ask: async () => ({ allowed: false, reason: "" }),
    ...change,
  };
}
const soon = (milliseconds = 1000): { now: number; deadline: number } => ({
  now,
  deadline: performance.now() + milliseconds,
});
const outcomes = async (request: AdmissionRequest, guards: Guard[], around = surroundings()): Promise<string[]> =>
  (await judge(request, guards, around, soon())).rulings.map((one) => `${one.policy} ${one.outcome}`);

describe("what is done about a finding", () => {
  test("observed is written down, warned is told, enforced is refused with the policy's own words", async () => {
    const observed = await judge(bad, [guard(policy("net"), { mode: "observe" })], surroundings(), soon());
    assert.deepEqual([observed.response.allowed, observed.response.warnings], [true, undefined]);
    assert.equal(observed.rulings[0]?.outcome, "observed");
    const warned = await judge(bad, [guard(policy("net"), { mode: "warn" })], surroundings(), soon());
    assert.deepEqual(warned.response.warnings, ["net: the host's network is not yours (mode warn)"]);
    assert.equal(warned.response.allowed, true);
    const denied = await judge(bad, [guard(policy("net"))], surroundings(), soon());
    assert.equal(denied.response.allowed, false);
    assert.equal(denied.response.status?.message, "net: the host's network is not yours");
    assert.deepEqual((await judge(good, [guard(policy("net"))], surroundings(), soon())).rulings, []);
  });

  test("until its date a policy observes, from then on it refuses", async () => {
    assert.deepEqual(await outcomes(bad, [guard(policy("net"), { from: now + 1 })]), ["net observed"]);
    assert.deepEqual(await outcomes(bad, [guard(policy("net"), { from: now })]), ["net denied"]);
  });

  test("a binding that only warns is not made stricter, and a namespace that is left out is not asked about", async () => {
    const binding = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: "net" },
      spec: { policyName: "net", validationActions: ["Warn"] },
    };
    assert.deepEqual(await outcomes(bad, [guard(policy("net"), {}, [binding])]), ["net warned"]);
    assert.deepEqual(await outcomes(bad, [guard(policy("net"), { excludedNamespaces: ["shop"] })]), []);
  });

  test("all that refuse are named, and every policy sees what the mutations have made", async () => {
    const wantsTeam = policy("has-team", {
      validations: [{ expression: "object.metadata.labels.team == 'shop'", message: "no team" }],
    });
    const mutated = await judge(good, [guard(wantsTeam), guard(labelling)], surroundings(), soon());
    assert.equal(mutated.response.allowed, true);
    const patch: unknown = JSON.parse(Buffer.from(mutated.response.patch ?? "", "base64").toString());
    assert.deepEqual(patch, [{ op: "add", path: "/metadata/labels", value: { team: "shop" } }]);
    assert.deepEqual(await outcomes(good, [guard(labelling, { mode: "observe" })]), ["team observed"]);
    const two = await judge(bad, [guard(policy("a")), guard(policy("b"))], surroundings(), soon());
    assert.match(two.response.status?.message ?? "", /^a: .*; b: /);
  });
});

describe("what could not be asked", () => {
  const never = (name: string, setting: Partial<PolicySetting>): Guard => ({
    ...guard(policy(name), setting),
    slow: true,
    ask: async () => new Promise(() => undefined),
  });

  test("is let through and counted, or refused, as the policy itself says, in time", async () => {
    const guards = [never("ignores", {}), never("fails", { failurePolicy: "Fail" })];
    const began = performance.now();
    const { response, rulings } = await judge(good, guards, surroundings(), soon(60));
    assert.ok(performance.now() - began < 2000);
    assert.deepEqual(
      rulings.map(({ policy: name, outcome, rule }) => `${name} ${outcome} ${rule}`),
      ["fails denied -1"],
      "what is refused already is not asked further",
    );
    assert.equal(response.allowed, false);
    const ignored = await judge(good, [never("ignores", {})], surroundings(), soon(20));
    assert.deepEqual([ignored.response.allowed, ignored.rulings[0]?.outcome], [true, "missed"]);
  });

  test("a slow policy does not hold up what another one refuses", async () => {
    const { response } = await judge(bad, [never("z", {}), guard(policy("net"))], surroundings(), soon(60_000));
    assert.match(response.status?.message ?? "", /^net: .*; 1 more policies were not asked$/);
  });

  test("questions to the authorizer are asked of the cluster, and their failure is the policy's", async () => {
    const asks = policy("ask", {
      validations: [
        { expression: "authorizer.group('').resource('nodes').check('delete').allowed()", message: "for admins only" },
      ],
    });
    const admin = surroundings({ ask: async ({ resource }) => ({ allowed: resource === "nodes", reason: "" }) });
    assert.deepEqual(await outcomes(good, [guard(asks)], admin), []);
    assert.deepEqual(await outcomes(good, [guard(asks)]), ["ask denied"]);
    const away = surroundings({ ask: async () => Promise.reject(new Error("the API server is away")) });
    assert.deepEqual(await outcomes(good, [guard(asks)], away), ["ask missed"]);
  });
});

describe("breaking the glass", () => {
  const broken = (until: string, reason = "INC-4711: the shop is down"): AdmissionRequest =>
    requestFor(
      pod({ hostNetwork: true }, { "bulwark.dev/break-glass": reason, "bulwark.dev/break-glass-until": until }),
    );
  const may = surroundings({
    ask: async ({ verb, group, resource, name, namespace }) => ({
      allowed: `${verb} ${group}/${resource}/${name} ${namespace}` === "bypass bulwark.dev/policies/net shop",
      reason: "",
    }),
  });

  test("who may is let past with reason and end, and it is written down", async () => {
    const { response, rulings } = await judge(broken("2026-06-01T13:00:00Z"), [guard(policy("net"))], may, soon());
    assert.equal(response.allowed, true);
    assert.equal(rulings[0]?.outcome, "bypassed");
    assert.match(rulings[0]?.reason ?? "", /bypassed by bulwark until 2026-06-01T13:00:00.000Z: INC-4711/);
    assert.match(response.auditAnnotations?.["bypassed"] ?? "", /INC-4711/);
    assert.match(response.warnings?.[0] ?? "", /bypassed by/);
  });

  test("who may not, or gives no reason or no end, is refused and told why", async () => {
    const refusals: [AdmissionRequest, Surroundings, RegExp][] = [
      [broken("2026-06-01T13:00:00Z"), surroundings(), /bulwark may not bypass policies\.bulwark\.dev\/net in shop/],
      [broken("2026-06-01T11:00:00Z"), may, /is over/],
      [broken("2026-06-09T11:00:00Z"), may, /more than 24 hours/],
      [broken("tomorrow"), may, /must say until when/],
      [broken("2026-06-01T13:00:00Z", "pls"), may, /a reason of at least/],
      [
        broken("2026-06-01T13:00:00Z"),
        surroundings({ ask: async () => Promise.reject(new Error("away")) }),
        /could not be asked: away/,
      ],
    ];
    for (const [request, around, why] of refusals) {
      const { response } = await judge(request, [guard(policy("net"))], around, soon());
      assert.equal(response.allowed, false);
      assert.match(response.status?.message ?? "", why);
    }
  });
});

describe("the configuration that API servers have", () => {
  const options = {
    ...{ name: "bulwark", cluster: "east", address: { url: "https://gate:9443" }, authorities: "PEM" },
    ...{ excludedNamespaces: ["kube-system", "bulwark"], timeoutSeconds: 5 },
  };
  interface Webhook {
    name: string;
    failurePolicy: string;
    rules: unknown[];
    clientConfig: { url: string };
    namespaceSelector: unknown;
  }
  const made = (guards: Guard[], side: Guard["side"] = "validate"): Webhook[] =>
    (webhookConfiguration(side, guards, options, now)?.webhooks ?? []) as Webhook[];

  test("only what a policy wants is asked, never about the system, and fails open unless a policy that enforces says no", () => {
    assert.equal(webhookConfiguration("mutate", [guard(policy("a"))], options, now), null);
    const [one, ...others] = made([guard(policy("a")), guard(policy("b"), { mode: "warn", failurePolicy: "Fail" })]);
    assert.deepEqual(others, []);
    assert.equal(one?.failurePolicy, "Ignore");
    assert.deepEqual(one.rules, [{ ...pods, scope: "*" }]);
    assert.deepEqual(one.namespaceSelector, {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "bulwark"] }],
    });
    const strict = made([guard(policy("a"), { failurePolicy: "Fail" })]);
    assert.deepEqual(
      strict.map(({ name, failurePolicy, clientConfig }) => [name, failurePolicy, clientConfig.url]),
      [["fail.validate.bulwark.dev", "Fail", "https://gate:9443/validate/east/fail/0"]],
    );
  });

  test("before its date a strict policy fails open too, and around the date it is asked in every case", () => {
    const waiting = [guard(policy("a"), { failurePolicy: "Fail", from: now + 1000 })];
    assert.deepEqual(
      made(waiting).map(({ name, failurePolicy }) => [name, failurePolicy]),
      [["later.validate.bulwark.dev", "Ignore"]],
    );
    for (const moment of [now, now + 1000, now + 30_000]) {
      assert.equal(guardsOf({ side: "validate", bucket: "later", part: 0 }, waiting, moment).length, 1);
    }
    assert.equal(guardsOf({ side: "validate", bucket: "fail", part: 0 }, waiting, now).length, 0);
    assert.equal(guardsOf({ side: "validate", bucket: "fail", part: 0 }, waiting, now + 1000).length, 1);
  });

  test("policies that want one resource in different versions are asked apart", () => {
    const scaler = (name: string, version: string): Guard =>
      guard(
        policy(name, {
          matchConstraints: {
            resourceRules: [
              {
                apiGroups: ["autoscaling"],
                apiVersions: [version],
                operations: ["CREATE"],
                resources: ["horizontalpodautoscalers"],
              },
            ],
          },
        }),
      );
    const guards = [scaler("a", "v1"), scaler("b", "v2"), scaler("c", "v1")];
    const webhooks = made(guards);
    assert.deepEqual(
      webhooks.map(({ name }) => name),
      ["ignore.validate.bulwark.dev", "ignore-1.validate.bulwark.dev"],
    );
    const asked = [0, 1, 2].map((part) =>
      guardsOf({ side: "validate", bucket: "ignore", part }, guards, now).map(({ name }) => name),
    );
    assert.deepEqual(asked, [["a", "c"], ["b"], []]);
  });
});

describe("the listener", () => {
  const limits = { body: 100_000, atOnce: 4, deadline: 1000 };
  const review = (object: Json = pod()): string =>
    JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { ...requestFor(object), uid: "u-1", object },
    });

  async function open(change: Partial<ListenerOptions> = {}) {
    const pair = await createAuthority(Date.now(), { name: "Bulwark webhook" });
    const authority = await openAuthority(pair);
    const { certificate, key } = await authority.issueServer(Date.now(), { names: ["127.0.0.1"], days: 1 });
    const away: string[] = [];
    const server = createListener({
      limits,
      tls: { cert: certificate, key },
      ready: () => true,
      judge: async (_route, request) => ({ uid: request.uid, allowed: true }),
      turnedAway: (_route, why) => void away.push(why),
      ...change,
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    async function send(
      body: string,
      path = "/validate/east/ignore/0",
      ca = pair.certificate,
    ): Promise<[number, string]> {
      const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
      const method = body === "" ? "GET" : "POST";
      const request = httpsRequest({ host: "127.0.0.1", port, path, method, ca, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve([response.statusCode ?? 0, text]));
      });
      request.on("error", reject);
      request.end(body);
      return promise;
    }
    return {
      ...{ server, authority, send, away },
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test("answers a review over TLS with the uid that was asked", async () => {
    await using gate = await open();
    const [status, text] = await gate.send(review());
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "u-1", allowed: true },
    });
    assert.deepEqual(await gate.send("", "/healthz"), [200, "ok\n"]);
    assert.equal((await gate.send(review(), "/elsewhere"))[0], 404);
  });

  test("what is no review, too large or too much is sent away and counted, and the next one is served", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using gate = await open({
      judge: async (_route, request) => {
        if (request.name === "held") await released;
        return { uid: request.uid, allowed: true };
      },
    });
    assert.equal((await gate.send("{"))[0], 400);
    assert.equal((await gate.send('{"kind":"Pod"}'))[0], 400);
    assert.equal((await gate.send(`[${"[".repeat(50_000)}`))[0], 400);
    assert.equal((await gate.send(review(pod({ text: "x".repeat(200_000) }))))[0], 413);
    assert.deepEqual(gate.away, ["unreadable", "unreadable", "unreadable", "too-large"]);
    const held = { ...pod(), metadata: { name: "held", namespace: "shop" } };
    const waiting = Array.from({ length: 4 }, async () => gate.send(review(held)));
    await eventually(async () => (await gate.send(review()))[0] === 503);
    assert.equal(gate.away.at(-1), "overload");
    release();
    assert.deepEqual(
      (await Promise.all(waiting)).map(([status]) => status),
      [200, 200, 200, 200],
    );
    assert.equal((await gate.send(review()))[0], 200);
  });

  test("a judge that fails is an error for the API server, not an answer, and nothing of the inside is told", async () => {
    await using gate = await open({ judge: async () => Promise.reject(new Error("secret path")) });
    const [status, text] = await gate.send(review());
    assert.equal(status, 500);
    assert.doesNotMatch(text, /secret/);
    assert.deepEqual(gate.away, ["failed"]);
  });

  test("a certificate is exchanged while it listens; who trusts another authority does not talk to it", async () => {
    await using gate = await open();
    const next = await createAuthority(Date.now(), { name: "Bulwark webhook" });
    await assert.rejects(gate.send(review(), undefined, next.certificate));
    const fresh = await (await openAuthority(next)).issueServer(Date.now(), { names: ["127.0.0.1"] });
    gate.server.setSecureContext({ cert: fresh.certificate, key: fresh.key, minVersion: "TLSv1.3" });
    assert.equal((await gate.send(review(), undefined, next.certificate))[0], 200);
  });

  test("a hostile review is refused by its field", () => {
    for (const [body, why] of [
      [null, /the body/],
      [{ apiVersion: "admission.k8s.io/v1beta1", kind: "AdmissionReview" }, /apiVersion/],
      [{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { operation: "EAT" } }, /operation/],
    ] as const) {
      assert.throws(() => readReview(body), why);
    }
  });
});

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) if (performance.now() > end) assert.fail("never");
}
