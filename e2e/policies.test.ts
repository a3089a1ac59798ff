import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  casesOf,
  createAdmission,
  loadLibrary,
  requestFor,
  type AdmissionOptions,
  type Json,
} from "@bulwark/admission";
import { connect, KubeError, type Kube, type Resource } from "@bulwark/kube";
import { eventually, missing } from "@bulwark/testkit";
import { startCluster } from "./cluster/cluster.ts";

/** Objects carry it, and bindings choose by it: each object is judged by the policies of its own category. */
const label = "example.com/category";
/** Cases that are given to the API server together. */
const atOnce = 8;

/**
 * Every case of every policy is given to a real API server that has the policies, and to ours; what each of them says of it
 * must be the same, word for word. The bindings warn, so that one object is judged by all policies of a category.
 */
describe("policies say the same in files and in the API server", { skip: missing("cluster") }, () => {
  const library = loadLibrary(join(import.meta.dirname, "../content/policies"));
  const categories = [...new Set(library.map(({ category }) => category))];
  const objects = library.flatMap(({ category, compiled: { policy } }) => [
    policy,
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: policy.metadata.name },
      spec: {
        policyName: policy.metadata.name,
        validationActions: ["Warn"],
        matchResources: { objectSelector: { matchLabels: { [label]: category } } },
      },
    },
  ]);

  test("every case, by every policy of its category, with the same message", async () => {
    await using cluster = await startCluster({ nodes: 0 });
    using kube = connect({ kubeconfig: cluster.kubeconfig });
    const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "web", namespace: "shop" } };
    cluster.apply(...objects, shop, account);
    const { resources } = await kube.discover();
    const options: AdmissionOptions = { namespaceOf: (name) => ({ metadata: { name } }), paramsOf: () => [] };
    const ours = createAdmission(
      objects.map((object) => ({ object })),
      options,
    );

    const cases = library.flatMap((policy) =>
      casesOf(policy)
        // Sessions are no objects that are created, and parameters would be those of all cases at once.
        .filter(({ operation, params }) => operation === "CREATE" && params === undefined)
        .map(({ name, object }) => ({ id: `${policy.name}: ${name}`, object: labelled(object, policy.category) })),
    );
    assert.ok(cases.length > 250, String(cases.length));
    // The API server takes policies up one by one: those that the cases find wrong must all be known before.
    const bad = cases.filter(({ object }) => ours.review(requestFor(object)).warnings.length > 0);
    for (const category of categories) {
      const one = bad.find(({ object }) => categoryOf(object) === category);
      assert.ok(one, category);
      await eventually(`the policies of ${category} are in force`, async () => {
        const { warnings } = await propose(kube, resources, one.object);
        return warnings.length >= ours.review(requestFor(one.object)).warnings.length || undefined;
      });
    }

    const different: string[] = [];
    const compare = async ({ id, object }: (typeof cases)[number]): Promise<void> => {
      const { refusal, warnings } = await propose(kube, resources, object);
      // Kubernetes' own objects are there already, and are refused before any policy is asked.
      if (refusal?.endsWith("already exists") === true) return;
      if (refusal !== undefined) different.push(`${id}: the API server does not take the object: ${refusal}`);
      const expected = ours.review(requestFor(object)).warnings;
      different.push(
        ...warnings.filter((line) => !expected.includes(line)).map((line) => `${id}: only the API server: ${line}`),
        ...expected.filter((line) => !warnings.includes(line)).map((line) => `${id}: only ours: ${line}`),
      );
    };
    for (let from = 0; from < cases.length; from += atOnce) {
      await Promise.all(cases.slice(from, from + atOnce).map(compare));
    }
    assert.deepEqual(different, []);
  });
});

function labelled(object: Json, category: string): Json {
  const metadata = (object["metadata"] ?? {}) as { labels?: Record<string, string> };
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [label]: category } } };
}

function categoryOf(object: Json): string | undefined {
  return (object["metadata"] as { labels: Record<string, string> }).labels[label];
}

/** Asks for an object to be created, for nothing: the warnings of policies, and the reason when it is not taken. */
async function propose(
  kube: Kube,
  resources: readonly Resource[],
  object: Json,
): Promise<{ refusal?: string; warnings: string[] }> {
  const { apiVersion, kind, metadata } = object as {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
  };
  const resource = resources.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (!resource) return { refusal: `no resource for ${apiVersion} ${kind}`, warnings: [] };
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  const path = `${root}${namespace}/${resource.plural}`;
  try {
    const answer = await kube.transport.send({
      method: "POST",
      path,
      query: { dryRun: "All" },
      body: object,
      what: path,
    });
    answer.resume();
    return { warnings: warningsOf(answer.headers["warning"]) };
  } catch (error) {
    const refusal = error instanceof KubeError ? error.message : String(error);
    return { refusal, warnings: [] };
  }
}

/** `299 - "…", 299 - "…"`, RFC 7234 5.5. */
function warningsOf(header: string | undefined): string[] {
  const found = (header ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g);
  return [...found]
    .map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1"))
    .filter((text) => text.includes("ValidatingAdmissionPolicy"));
}
