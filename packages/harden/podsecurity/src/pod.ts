/** A pod as it was written: nothing of it is taken for granted. */
export type Fields = Readonly<Record<string, unknown>>;

export interface PodView {
  readonly annotations: Fields;
  readonly spec: Fields;
  /** `spec.securityContext`. */
  readonly security: Fields;
  /** Init containers (sidecars among them), containers, ephemeral containers. */
  readonly containers: readonly ContainerView[];
}

export interface ContainerView {
  readonly name: string;
  readonly fields: Fields;
  /** `securityContext`. */
  readonly security: Fields;
}

export function viewPod(pod: unknown): PodView {
  const spec = fields(fields(pod)["spec"]);
  const lists = [spec["initContainers"], spec["containers"], spec["ephemeralContainers"]];
  return {
    annotations: fields(fields(fields(pod)["metadata"])["annotations"]),
    spec,
    security: fields(spec["securityContext"]),
    containers: lists.flatMap(items).map((item) => ({
      name: text(item["name"]),
      fields: item,
      security: fields(item["securityContext"]),
    })),
  };
}

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function items(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

/** Strings of a list. What is none is kept as its JSON, so that it is in no set of allowed values. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

/** For messages and comparisons: a string as it is, anything else as JSON. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Null and absent are the same to Kubernetes. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Set, and not the harmless value: what is neither true nor false is not taken for harmless. */
export function isOn(value: unknown): boolean {
  return isSet(value) && value !== false;
}

/** From 1.25 on, what Windows does not have is not asked of pods that say that they are for it. */
export function isWindows({ spec }: PodView): boolean {
  return fields(spec["os"])["name"] === "windows";
}

/** KEP-127: root in a user namespace of its own is nobody on the node. */
export function hasUserNamespace({ spec }: PodView): boolean {
  return spec["hostUsers"] === false;
}
