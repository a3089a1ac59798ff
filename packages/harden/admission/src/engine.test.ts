import assert from "node:assert/strict";
import test from "node:test";
import { readTexts } from "@bulwark/manifests";
import { createAdmission, requestFor, type AdmissionOptions, type Json, type Review } from "./index.ts";

const head = "apiVersion: admissionregistration.k8s.io/v1";

function objects(text: string): { object: Json; source: string }[] {
  const { objects: found, problems, others } = readTexts([{ name: "policies.yaml", text }]);
  assert.deepEqual([problems, others], [[], []]);
  return found.map(({ object, place }) => ({ object, source: `${place.file}:${place.line}` }));
}

/** A policy about deployments with this spec, bound with these actions. */
function policy(spec: string, { actions = "[Deny]", bindingSpec = "" } = {}): string {
  return `${head}
kind: ValidatingAdmissionPolicy
metadata: {name: demo}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
${spec}
---
${head}
kind: ValidatingAdmissionPolicyBinding
metadata: {name: demo-binding}
spec:
  policyName: demo
  validationActions: ${actions}
${bindingSpec}
`;
}

const namespaces: Readonly<Record<string, Json>> = {
  shop: { metadata: { name: "shop", labels: { tier: "production" } } },
};
const options: AdmissionOptions = { namespaceOf: (name) => namespaces[name] ?? null, paramsOf: () => [] };

function deployment(replicas: unknown, namespace = "shop"): Json {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace }, spec: { replicas } };
}

function review(text: string, object: Json, more: Partial<AdmissionOptions> = {}): Review {
  return createAdmission(objects(text), { ...options, ...more }).review(requestFor(object));
}

const limit = `  validations: [{expression: "object.spec.replicas <= 5"}]`;

test("a validation that does not hold denies with the words of the API server", () => {
  const { allowed, status } = review(policy(limit), deployment(6));
  assert.equal(allowed, false);
  assert.deepEqual(status, {
    code: 422,
    reason: "Invalid",
    message:
      "ValidatingAdmissionPolicy 'demo' with binding 'demo-binding' denied request: failed expression: object.spec.replicas <= 5",
  });
  assert.equal(review(policy(limit), deployment(5)).allowed, true);
});

test("the message is the expression's, else the fixed one, else the validation's own words", () => {
  const message = (more: string): string | undefined =>
    review(policy(`  validations: [{expression: "object.spec.replicas <= 5", ${more}}]`), deployment(6)).decisions[0]
      ?.failure.message;
  assert.equal(message(`message: " too many "`), "too many");
  assert.equal(message(`message: m, messageExpression: "'has ' + string(object.spec.replicas)"`), "has 6");
  assert.equal(message(`message: m, messageExpression: "object.spec.nothing"`), "m");
  assert.equal(message(`message: m, messageExpression: "'a\\\\nb'"`), "m");
  assert.equal(message(`message: m, messageExpression: "' '"`), "m");
  assert.equal(message(`messageExpression: "''"`), "failed expression: object.spec.replicas <= 5");
  const forbidden = review(policy(`  validations: [{expression: "false", reason: Forbidden}]`), deployment(1));
  assert.deepEqual([forbidden.status?.code, forbidden.status?.reason], [403, "Forbidden"]);
});

test("Warn warns, Audit annotates, and neither denies", () => {
  const warned = review(policy(limit, { actions: "[Warn, Audit]" }), deployment(6));
  assert.equal(warned.allowed, true);
  assert.deepEqual(warned.warnings, [
    "Validation failed for ValidatingAdmissionPolicy 'demo' with binding 'demo-binding': failed expression: object.spec.replicas <= 5",
  ]);
  assert.deepEqual(JSON.parse(warned.annotations["validation.policy.admission.k8s.io/validation_failure"] ?? ""), [
    {
      message: "failed expression: object.spec.replicas <= 5",
      policy: "demo",
      binding: "demo-binding",
      expressionIndex: 0,
      validationActions: ["Warn", "Audit"],
    },
  ]);
});

test("an expression that fails denies, or is passed over, as the failure policy says", () => {
  const broken = `  validations: [{expression: "object.spec.replicas <= 5"}]`;
  const denied = review(policy(broken), deployment("many"));
  assert.equal(denied.allowed, false);
  assert.match(denied.status?.message ?? "", /expression 'object\.spec\.replicas <= 5' resulted in error: /);
  assert.equal(denied.decisions[0]?.failure.error, true);
  assert.equal(review(policy(`  failurePolicy: Ignore\n${broken}`), deployment("many")).allowed, true);
});

test("conditions leave out; one that is false decides whatever else fails; one that fails denies", () => {
  const conditions = (...expressions: string[]): string =>
    policy(
      `  matchConditions: [${expressions.map((one, index) => `{name: c${index}, expression: "${one}"}`).join(", ")}]\n${limit}`,
    );
  assert.equal(review(conditions("request.operation == 'DELETE'"), deployment(6)).allowed, true);
  assert.equal(review(conditions("object.spec.nothing == 1", "false"), deployment(6)).allowed, true);
  const failed = review(conditions("object.spec.nothing == 1"), deployment(1));
  assert.match(failed.status?.message ?? "", /matchCondition 'c0' resulted in error/);
});

test("variables are computed when they are asked for, once, and know those before them", () => {
  const spec = `  variables:
    - {name: replicas, expression: "object.spec.replicas"}
    - {name: tooMany, expression: "variables.replicas > 5"}
    - {name: broken, expression: "object.spec.nothing"}
  validations: [{expression: "!variables.tooMany", messageExpression: "'has ' + string(variables.replicas)"}]`;
  assert.equal(review(policy(spec), deployment(6)).decisions[0]?.failure.message, "has 6");
  assert.equal(review(policy(spec), deployment(5)).allowed, true);
  assert.throws(
    () => createAdmission(objects(policy(`  validations: [{expression: "variables.later"}]`)), options),
    /policies\.yaml:1: ValidatingAdmissionPolicy demo: spec\.validations\[0\]\.expression: 1:\d+: .*later[^]*\^/,
  );
});

test("constraints: groups, operations, names, scope, exclusion, selectors of namespace and object", () => {
  const asked = (constraints: string, object: Json, bindingSpec = ""): boolean => {
    const text = `${head}
kind: ValidatingAdmissionPolicy
metadata: {name: demo}
spec:
  matchConstraints: ${constraints}
  validations: [{expression: "true"}]
---
${head}
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: demo, validationActions: [Deny]${bindingSpec}}
`;
    return review(text, object).asked.length === 1;
  };
  const rule = `apiGroups: ["*"], apiVersions: ["*"], operations: ["*"]`;
  const web = deployment(1);
  const node: Json = { apiVersion: "v1", kind: "Node", metadata: { name: "n", labels: { disk: "ssd" } } };
  const space: Json = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { tier: "test" } } };
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"]}]}`, web), true);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: [deployments/scale]}]}`, web), false);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["deployments/*"]}]}`, web), true);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: [deployments], resourceNames: [api]}]}`, web), false);
  assert.equal(
    asked(
      `{resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [DELETE], resources: [deployments]}]}`,
      web,
    ),
    false,
  );
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"], scope: Cluster}]}`, web), false);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"], scope: Cluster}]}`, node), true);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"], scope: Namespaced}]}`, space), false);
  assert.equal(
    asked(
      `{resourceRules: [{${rule}, resources: ["*"]}], excludeResourceRules: [{${rule}, resources: [deployments]}]}`,
      web,
    ),
    false,
  );
  const production = `namespaceSelector: {matchLabels: {tier: production}}`;
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"]}], ${production}}`, web), true);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"]}], ${production}}`, deployment(1, "other")), false);
  // A namespace is chosen by its own labels; what is in none always.
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"]}], ${production}}`, space), false);
  assert.equal(asked(`{resourceRules: [{${rule}, resources: ["*"]}], ${production}}`, node), true);
  assert.equal(
    asked(
      `{resourceRules: [{${rule}, resources: ["*"]}], objectSelector: {matchExpressions: [{key: disk, operator: NotIn, values: [hdd]}]}}`,
      node,
    ),
    true,
  );
  assert.equal(
    asked(`{resourceRules: [{${rule}, resources: ["*"]}], objectSelector: {matchLabels: {disk: hdd}}}`, node),
    false,
  );
  assert.equal(
    asked(
      `{resourceRules: [{${rule}, resources: ["*"]}]}`,
      web,
      `, matchResources: {namespaceSelector: {matchLabels: {tier: test}}}`,
    ),
    false,
  );
});

const limits: Json = {
  apiVersion: "example.com/v1",
  kind: "Limit",
  metadata: { name: "small", labels: { size: "s" } },
  max: 3,
};

test("parameters: by name, by label, and what holds when there are none", () => {
  const spec = `  paramKind: {apiVersion: example.com/v1, kind: Limit}
  validations: [{expression: "object.spec.replicas <= params.max", messageExpression: "'at most ' + string(params.max)"}]`;
  const by = (ref: string, found: Json[] = [limits]): Review =>
    review(policy(spec, { bindingSpec: `  paramRef: ${ref}` }), deployment(4), { paramsOf: () => found });
  assert.equal(by("{name: small, parameterNotFoundAction: Deny}").decisions[0]?.failure.message, "at most 3");
  assert.equal(by("{selector: {matchLabels: {size: s}}, parameterNotFoundAction: Deny}").allowed, false);
  const large: Json = { ...limits, metadata: { name: "large" }, max: 10 };
  assert.equal(by("{name: large, parameterNotFoundAction: Deny}", [limits, large]).allowed, true);
  assert.equal(by("{name: none, parameterNotFoundAction: Allow}").allowed, true);
  assert.match(
    by("{name: none, parameterNotFoundAction: Deny}").status?.message ?? "",
    /no params found for policy binding with `Deny`/,
  );
});

test("the authorizer is asked as the user of the request, and without one nothing is let through", () => {
  const spec = `  validations: [{expression: "authorizer.group('apps').resource('deployments').check('scale').allowed() || authorizer.requestResource.check('bypass').allowed()"}]`;
  assert.equal(review(policy(spec), deployment(1)).allowed, false);
  const questions: unknown[] = [];
  const allowed = review(policy(spec), deployment(1), {
    ask(question) {
      questions.push(question);
      return { allowed: question.verb === "bypass", reason: "" };
    },
  });
  assert.equal(allowed.allowed, true);
  assert.deepEqual(questions.at(-1), {
    subject: undefined,
    verb: "bypass",
    group: "apps",
    resource: "deployments",
    subresource: "",
    namespace: "shop",
    name: "web",
  });
});

function mutating(mutations: string, more = ""): string {
  return `${head}
kind: MutatingAdmissionPolicy
metadata: {name: change}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: ["", apps], apiVersions: [v1], operations: [CREATE], resources: [deployments, pods]}]
  reinvocationPolicy: IfNeeded
${more}  mutations:
${mutations}
---
${head}
kind: MutatingAdmissionPolicyBinding
metadata: {name: change-binding}
spec: {policyName: change}
`;
}

test("mutations by JSON patch and by configuration, each on what the ones before it made", () => {
  const text = mutating(`    - patchType: JSONPatch
      jsonPatch:
        expression: |
          [JSONPatch{op: "add", path: "/metadata/labels", value: {"a/b": "1"}},
           JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}]
    - patchType: JSONPatch
      jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("c/d"), value: string(object.spec.replicas)}]'}
    - patchType: ApplyConfiguration
      applyConfiguration: {expression: 'Object{spec: Object.spec{paused: true}}'}`);
  const before = deployment(1);
  const { object, allowed } = review(text, before);
  assert.equal(allowed, true);
  assert.deepEqual(object, {
    ...before,
    metadata: { name: "web", namespace: "shop", labels: { "a/b": "1", "c/d": "2" } },
    spec: { replicas: 2, paused: true },
  });
  assert.deepEqual(before, deployment(1));
});

test("a configuration is merged into lists by their keys, as server-side apply does", () => {
  const text = mutating(`    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: |
          Object{spec: Object.spec{
            containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, env: [Object.spec.containers.env{name: "B", value: "new"}]}),
            tolerations: [Object.spec.tolerations{key: "only"}],
            initContainers: [Object.spec.initContainers{name: "mesh", image: "mesh:1"}]}}`);
  const pod: Json = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "shop" },
    spec: {
      containers: [
        {
          name: "web",
          image: "web:1",
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "old" },
          ],
        },
      ],
      tolerations: [{ key: "gone" }],
    },
  };
  assert.deepEqual(review(text, pod).object?.["spec"], {
    containers: [
      {
        name: "web",
        image: "web:1",
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "new" },
        ],
      },
    ],
    tolerations: [{ key: "only" }],
    initContainers: [{ name: "mesh", image: "mesh:1" }],
  });
});

test("a mutation that fails refuses and leaves the object, or is passed over", () => {
  const broken = `    - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "remove", path: "/spec/nothing"}]'}}`;
  const refused = review(mutating(broken), deployment(1));
  assert.equal(refused.allowed, false);
  assert.match(
    refused.status?.message ?? "",
    /^MutatingAdmissionPolicy 'change' with binding 'change-binding' denied request: .*\/spec\/nothing/,
  );
  const ignored = review(mutating(broken, "  failurePolicy: Ignore\n"), deployment(1));
  assert.deepEqual([ignored.allowed, ignored.object], [true, deployment(1)]);
});

test("what is validated is what the mutations made", () => {
  const text = `${mutating(`    - {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{spec: Object.spec{replicas: 9}}'}}`)}---\n${policy(limit)}`;
  assert.equal(review(text, deployment(1)).allowed, false);
});

test("policies that are wrong are refused with place and remedy, and the others stay", () => {
  const wrong = [
    [policy(`  validations: [{expression: "object.spec.replicas <="}]`), /spec\.validations\[0\]\.expression: 1:\d+: /],
    [policy(`  validations: [{expression: "1 + 1"}]`), /must be a bool, and is a int/],
    [policy(`  validation: []`), /spec: Unrecognized key: "validation"/],
    [policy(`  failurePolicy: Maybe`), /spec\.failurePolicy: /],
  ] as const;
  for (const [text, message] of wrong) {
    assert.throws(() => createAdmission(objects(text), options), message);
    const errors: unknown[] = [];
    const good = policy(limit).replaceAll("demo", "good");
    const admission = createAdmission([...objects(text), ...objects(good)], options, (error) => errors.push(error));
    assert.equal(errors.length, 1);
    assert.equal(admission.review(requestFor(deployment(6))).allowed, false);
  }
  assert.deepEqual(createAdmission(objects(policy(limit).split("---")[0] ?? ""), options).unbound, ["demo"]);
});

test("expressions of one policy share a bound of cost", () => {
  const heavy = "object.spec.list.all(a, object.spec.list.all(b, object.spec.list.all(c, a + b + c >= 0)))";
  const big: Json = { ...deployment(1), spec: { list: Array.from({ length: 1000 }, (_, index) => index) } };
  const { allowed, decisions } = review(policy(`  validations: [{expression: "${heavy}"}]`), big);
  assert.equal(allowed, false);
  assert.match(decisions[0]?.failure.message ?? "", /cost/);
});
