import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAdmission, requestFor, type AdmissionOptions, type Json, type Review } from "./index.ts";

const apiVersion = "admissionregistration.k8s.io/v1";

interface Asked {
  variables?: Readonly<Record<string, string>>;
  validations: readonly string[];
  params?: boolean;
}

function policy(name: string, { variables = {}, validations, params = false }: Asked): { object: Json }[] {
  const paramKind = params ? { paramKind: { apiVersion: "v1", kind: "ConfigMap" } } : {};
  const spec = {
    ...paramKind,
    matchConstraints: {
      resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }],
    },
    variables: Object.entries(variables).map(([key, expression]) => ({ name: key, expression })),
    validations: validations.map((expression) => ({ expression })),
  };
  const binding = {
    ...{ policyName: name, validationActions: ["Deny"] },
    ...(params && { paramRef: { name, namespace: "shop", parameterNotFoundAction: "Deny" } }),
  };
  return [
    { object: { apiVersion, kind: "ValidatingAdmissionPolicy", metadata: { name }, spec } },
    { object: { apiVersion, kind: "ValidatingAdmissionPolicyBinding", metadata: { name }, spec: binding } },
  ];
}

const options: AdmissionOptions = { namespaceOf: () => null, paramsOf: () => [] };

function review(policies: readonly { object: Json }[][], object: Json, more: Partial<AdmissionOptions> = {}): Review {
  return createAdmission(policies.flat(), { ...options, ...more }).review(requestFor(object));
}

const messages = ({ decisions }: Review): string[] =>
  decisions.map(({ policy: name, failure }) => `${name}: ${failure.message}`);

describe("variables that several policies have", () => {
  /** A pod that counts how often its spec is read. */
  function counting(): { pod: Json; reads(): number } {
    let count = 0;
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop" } },
      get spec() {
        count++;
        return { containers: [{ name: "a" }, { name: "b" }] };
      },
    };
    return { pod, reads: () => count };
  }

  test("are computed for the first, and for each where they are not the same", () => {
    const validations = ["variables.names.size() == 2"];
    const same = { names: "object.spec.containers.map(c, c.name)" };
    const other = { names: "object.spec.containers.map(c, c.name + '!')" };
    const reads = (...variables: (typeof same)[]): number => {
      const { pod, reads: count } = counting();
      const policies = variables.map((one, index) => policy(`p${index}`, { variables: one, validations }));
      assert.equal(review(policies, pod).allowed, true);
      return count();
    };
    assert.equal(reads(same), 1);
    assert.equal(reads(same, same, same), 1);
    assert.equal(reads(same, other), 2);
  });

  test("are not the same where one that they name is another", () => {
    const validations = ["variables.b == 1"];
    const policies = ["1", "2"].map((a, index) =>
      policy(`p${index}`, { variables: { a, b: "variables.a" }, validations }),
    );
    const { pod } = counting();
    assert.deepEqual(messages(review(policies, pod)), ["p1: failed expression: variables.b == 1"]);
  });

  test("are each policy's own where they name its parameters", () => {
    const variables = { most: "int(params.data.most)" };
    const validations = ["object.spec.containers.size() <= variables.most"];
    const policies = ["one", "three"].map((name) => policy(name, { variables, validations, params: true }));
    const map = (name: string, most: string): Json => ({
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "shop" } },
      data: { most },
    });
    const paramsOf = (): Json[] => [map("one", "1"), map("three", "3")];
    const { pod } = counting();
    assert.deepEqual(messages(review(policies, pod, { paramsOf })), [`one: failed expression: ${validations[0]}`]);
  });

  test("fail in each with the same words", () => {
    const variables = { broken: "object.spec.missing", over: "variables.broken + 1" };
    const policies = ["a", "b"].map((name) => policy(name, { variables, validations: ["variables.over == 2"] }));
    const [a, b] = messages(review(policies, counting().pod));
    assert.match(a ?? "", /^a: .*no such key: missing/);
    assert.equal(b, a?.replace(/^a/, "b"));
  });

  test("cost each what they cost the first: together they are stopped where alone", () => {
    // About 900,000 each; the twelfth is more than a policy may cost, and rests on the ones before it.
    const list = "object.spec.containers";
    const names = Array.from({ length: 12 }, (_, index) => `v${index}`);
    const variables = Object.fromEntries(
      names.map((name, index) => [
        name,
        `${list}.all(a, ${list}.all(b, b.n >= 0))${index === 0 ? "" : ` && variables.v${index - 1}`}`,
      ]),
    );
    const containers = Array.from({ length: 395 }, (_, n) => ({ n }));
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: { containers } };
    const inTurn = names.map((name) => `variables.${name}`);
    // One that asks for the last has to pay for all of them.
    for (const validations of [inTurn, ["variables.v11", "true"]]) {
      const [a, b] = ["a", "b"].map((name) => policy(name, { variables, validations }));
      const alone = messages(review([b ?? []], pod));
      assert.match(alone[0] ?? "", /costs? more than/);
      const together = messages(review([a ?? [], b ?? []], pod));
      assert.deepEqual(
        together.filter((line) => line.startsWith("b: ")),
        alone,
      );
    }
  });
});
