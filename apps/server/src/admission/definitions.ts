import { readPolicies, type Json, type LibraryPolicy } from "@bulwark/admission";
import { imageGuards, nativeGuard, type Guard } from "@bulwark/gate";
import { aboutOf, readImagePolicy, type ImageJudge, type ImagePolicy } from "@bulwark/imagepolicy";
import { readTexts } from "@bulwark/manifests";
import { policySetting, type PolicySetting } from "@bulwark/model";

/** Where a policy comes from. A policy of a cluster's own config map is in force there only. */
export type Source = "library" | "file" | "console" | "cluster";

/** A policy that can be in force. */
export interface Definition extends Pick<
  LibraryPolicy,
  "name" | "file" | "category" | "title" | "severity" | "why" | "remedy"
> {
  readonly kind: string;
  readonly source: Source;
  /** The YAML that it stands in. */
  readonly text: string;
  /** It can change what it finds. */
  readonly fixable: boolean;
  /** How it says itself that it wants to be in force; null where it does not. */
  readonly asks: PolicySetting | null;
  /** An ImagePolicy; null for all others. */
  readonly image: ImagePolicy | null;
  /** What it does at admission. */
  guards(setting: PolicySetting): Guard[];
}

/** The policies of a document. Raises `AdmissionError` or `ImagePolicyError`. */
export function definitionsIn(
  name: string,
  text: string,
  source: Source,
  judge: ImageJudge,
  category = "",
): Definition[] {
  const native = readPolicies(name, text, category).map((policy): Definition => {
    const { compiled, fix, objects } = policy;
    const { kind, metadata } = compiled.policy;
    return {
      ...policy,
      ...{ kind, source, text, fixable: fix !== undefined || kind === "MutatingAdmissionPolicy" },
      ...{ asks: settingIn(policy.name, metadata.annotations), image: null },
      guards: (setting) => [
        nativeGuard(compiled, objects, setting),
        ...(setting.fix && fix ? [nativeGuard(fix, objects, setting)] : []),
      ],
    };
  });
  const images = readTexts([{ name, text }]).objects.filter(({ object }) => object.kind === "ImagePolicy");
  return [...native, ...images.map(({ object, place }) => imageDefinition(object, `${name}:${place.line}`))];

  function imageDefinition(object: Json, place: string): Definition {
    const policy = readImagePolicy(object, place);
    return {
      ...{ ...aboutOf(policy), file: name, category, kind: "ImagePolicy" },
      ...{ source, text, fixable: policy.mutateDigest, asks: settingIn(policy.name, policy.annotations) },
      image: policy,
      guards: (setting) => imageGuards(policy, setting, judge),
    };
  }
}

/** The setting of a policy that lies in a cluster: what it says itself, else it observes. */
export function settingInCluster({ name, asks }: Definition): PolicySetting {
  return asks ?? policySetting.parse({ policy: name, mode: "observe" });
}

function settingIn(name: string, annotations: Readonly<Record<string, string>> = {}): PolicySetting | null {
  const annotation = (word: string): string | undefined => annotations[`bulwark.dev/${word}`];
  const mode = annotation("mode");
  if (mode === undefined) return null;
  const from = annotation("from");
  const read = policySetting.safeParse({
    ...{ policy: name, mode, failurePolicy: annotation("failure-policy") },
    ...{ from: from === undefined ? null : Date.parse(from), fix: annotation("fix") === "true" },
  });
  return read.success ? read.data : policySetting.parse({ policy: name, mode: "observe" });
}
