/** Client of a Kubernetes API server: credentials, objects, watches that last, questions of access, exec. */
export { toApiRequest, toAuditEvent } from "./audit.ts";
export { can, reviewToken, type AccessQuestion, type AccessReview, type Identity } from "./access.ts";
export { connect, type Kube, type ListOptions, type RequestOptions } from "./client.ts";
export { inCluster, readKubeconfig, type Access } from "./credentials.ts";
export { KubeError, type KubeErrorCode } from "./error.ts";
export { exec, type ExecOptions, type ExecResult } from "./exec.ts";
export { ownerChain, type Owner } from "./owners.ts";
export { reflect, type Mirror, type ReflectOptions } from "./reflect.ts";
export { resources, type KubeResource, type Resource } from "./resources.ts";
export { watch, type WatchEvent, type WatchOptions } from "./watch.ts";
