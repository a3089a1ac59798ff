/** What is in a Kubernetes cluster, kept up with: for the server of its own, and for what tells a server of another. */
export { collections } from "./collections.ts";
export { toKubeObject } from "./convert.ts";
export { followCluster, type Following, type FollowOptions } from "./follow.ts";
