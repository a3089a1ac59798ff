import { createEnvironment, type Environment, type EnvironmentOptions, type Overload } from "../environment.ts";
import { libraries } from "../libraries/index.ts";
import { kubernetesAuthorizer } from "./authorizer.ts";
import { kubernetesFormat } from "./format.ts";
import { kubernetesJsonPatch } from "./jsonpatch.ts";
import { kubernetesLists } from "./lists.ts";
import { kubernetesNet } from "./net.ts";
import { kubernetesQuantity } from "./quantity.ts";
import { kubernetesRegex } from "./regex.ts";
import { kubernetesSemver } from "./semver.ts";
import { kubernetesUrl } from "./url.ts";

/** What every expression in Kubernetes may use, as of 1.36 (apiserver, pkg/cel/environment/base.go). */
const kubernetesFunctions: readonly Overload[] = [
  ...libraries.standard,
  ...libraries.strings,
  ...libraries.sets,
  ...libraries.lists,
  ...libraries.optionals,
  ...kubernetesAuthorizer,
  ...kubernetesFormat,
  ...kubernetesJsonPatch,
  ...kubernetesLists,
  ...kubernetesNet,
  ...kubernetesQuantity,
  ...kubernetesRegex,
  ...kubernetesSemver,
  ...kubernetesUrl,
];

/** An environment as Kubernetes has it: the elements of a list literal are of one type. */
export function kubernetesEnvironment(options: EnvironmentOptions = {}): Environment {
  return createEnvironment({
    homogeneous: true,
    ...options,
    functions: [...kubernetesFunctions, ...(options.functions ?? [])],
  });
}
