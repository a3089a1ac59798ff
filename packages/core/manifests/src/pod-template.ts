import { fieldOf, stringOf } from "./fields.ts";

const templates: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Whether objects of this kind make pods of a template. */
export function isWorkload(kind: string): boolean {
  return Object.hasOwn(templates, kind);
}

/** The template that a workload makes its pods of; a pod is its own. Undefined for every other kind. */
export function podTemplateOf(object: Readonly<Record<string, unknown>>): unknown {
  const kind = stringOf(object["kind"]);
  if (kind === "Pod") return object;
  const path = isWorkload(kind) ? templates[kind] : undefined;
  return path && fieldOf(object, ...path);
}
