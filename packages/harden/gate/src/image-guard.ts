import { applyPatch, type AdmissionRequest, type Json, type Operation } from "@bulwark/admission";
import type { ImageJudge, ImagePolicy, Verdict } from "@bulwark/imagepolicy";
import { fieldOf, podTemplateOf, recordsOf } from "@bulwark/manifests";
import type { PolicySetting } from "@bulwark/model";
import type { Answer, Constraints, Finding, Guard } from "./guard.ts";

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

/** All that runs images, or makes what does. */
const constraints: Constraints = {
  resourceRules: [
    rule("", ["pods", "pods/ephemeralcontainers", "replicationcontrollers"]),
    rule("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
    rule("batch", ["jobs", "cronjobs"]),
  ],
};
/** Only pods are changed: whoever keeps a workload's template would find it other than written, and write it again. */
const podsOnly: Constraints = { resourceRules: [rule("", ["pods", "pods/ephemeralcontainers"])] };

/**
 * An ImagePolicy at admission: every image of the object must hold, of an update only those that are new in it. Where the
 * policy wants it, a pod's tags get the digest that was judged behind them.
 */
export function imageGuards(policy: ImagePolicy, setting: PolicySetting, judge: ImageJudge): Guard[] {
  const shared = { name: policy.name, setting, slow: true, paramKinds: [] };
  const validating: Guard = {
    ...{ ...shared, side: "validate", constraints },
    ask(request) {
      const images = [...new Set(newImages(request).map(({ image }) => image))];
      const known = images.map((image) => judge.known(policy, image));
      if (known.every((verdict) => verdict !== undefined)) return answerOf(request, known);
      const asked = Promise.all(images.map(async (image) => judge.judge(policy, image)));
      return asked.then((verdicts) => answerOf(request, verdicts));
    },
  };
  const pinning: Guard = {
    ...{ ...shared, side: "mutate", constraints: podsOnly },
    async ask(request) {
      const { object } = request;
      if (object === null || request.kind.kind !== "Pod") return { applies: false, findings: [], object };
      const pinned = await Promise.all(
        newImages(request)
          .filter(({ image }) => policy.covers(image))
          .map(async ({ path, image }) => ({ path, image, pinned: await judge.pin(image) })),
      );
      const changes = pinned.filter((one) => one.pinned !== one.image);
      const patch = changes.map(({ path, pinned: value }): Operation => ({ op: "replace", path, value }));
      return {
        applies: pinned.length > 0,
        findings: [],
        object: patch.length === 0 ? object : applyPatch(object, patch),
      };
    },
  };
  return policy.mutateDigest ? [validating, pinning] : [validating];
}

function answerOf({ object }: AdmissionRequest, verdicts: readonly (Verdict | null)[]): Answer {
  const findings = verdicts.flatMap((verdict) =>
    (verdict?.failures ?? []).map(({ rule: index, message }): Finding => ({ rule: index, message, severity: "deny" })),
  );
  return { applies: verdicts.some((verdict) => verdict !== null), findings, object };
}

interface Used {
  /** JSON pointer in the object. */
  readonly path: string;
  readonly image: string;
}

/** Images of the object that the one before did not have: what runs already is not stopped by a change of labels. */
function newImages({ object, oldObject, operation }: AdmissionRequest): Used[] {
  if (object === null || operation === "DELETE") return [];
  const before = new Set(oldObject === null ? [] : imagesOf(oldObject).map(({ image }) => image));
  return imagesOf(object).filter(({ image }) => !before.has(image));
}

/** Every image that an object runs, or makes what runs: of its containers and its volumes. */
export function imagesOf(object: Json): Used[] {
  const spec = fieldOf(podTemplateOf(object), "spec");
  const containers = containerLists.flatMap((list) =>
    recordsOf(fieldOf(spec, list)).map(({ image }, index) => ({ path: `/spec/${list}/${index}/image`, image })),
  );
  const volumes = recordsOf(fieldOf(spec, "volumes")).map((volume, index) => ({
    path: `/spec/volumes/${index}/image/reference`,
    image: fieldOf(volume, "image", "reference"),
  }));
  return [...containers, ...volumes].flatMap(({ path, image }) =>
    typeof image === "string" && image !== "" ? [{ path, image }] : [],
  );
}

function rule(group: string, resources: string[]): NonNullable<Constraints["resourceRules"]>[number] {
  return { apiGroups: [group], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources };
}
