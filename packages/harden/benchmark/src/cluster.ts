/** The names that checks of clusters know facts by. */
export const clusterVariables: readonly string[] = ["cluster", "objects", "nodes", "apiserver", "controllerManager", "scheduler", "etcd", "proxy"];
