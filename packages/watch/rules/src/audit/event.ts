import type { FieldValue, RuleEvent } from "../event.ts";
import { list, record, scalar, text, type Json } from "./json.ts";
import { podFields } from "./pod.ts";

/**
 * A record of a Kubernetes API server's audit log (audit.k8s.io/v1, from webhook or file) as rules of the source
 * `k8s_audit` see it: `ka.*` and `jevt.*` as Falco's plugins k8saudit and json have them. `ka.req.*` needs a log with
 * request bodies (level Request or RequestResponse); without, those fields have no value. `cluster`: what it is called,
 * where that is known.
 */
export function auditRuleEvent(item: unknown, cluster?: string): RuleEvent {
  const event = record(item);
  return {
    source: "k8s_audit",
    type: "pluginevent",
    get: (field, argument) => (field === "ka.cluster.name" ? cluster : getters.get(field)?.(event, argument)),
  };
}

type Getter = (event: Json, argument?: string) => FieldValue;

const annotation =
  (name: string): Getter =>
  (event) =>
    text(record(event["annotations"])[name]);

const reference =
  (key: string): Getter =>
  (event) =>
    text(record(event["objectRef"])[key]);

const request = (event: Json): Json => record(event["requestObject"]);
const ofKind = (event: Json, ...resources: string[]): boolean =>
  resources.includes(text(record(event["objectRef"])["resource"]) ?? "");

const getters: ReadonlyMap<string, Getter> = new Map<string, Getter>([
  ["evt.type", () => "pluginevent"],
  ["evt.source", () => "k8s_audit"],
  ["evt.pluginname", () => "k8saudit"],
  ["evt.time.iso8601", time],
  ["evt.time", time],
  ["evt.datetime", time],
  ["evt.rawtime", (event) => nanoseconds(event)],
  ["jevt.time", time],
  ["jevt.time.iso8601", time],
  ["jevt.rawtime", (event) => nanoseconds(event)],
  ["jevt.obj", (event) => JSON.stringify(event)],
  ["jevt.value", (event, pointer = "") => atPointer(event, pointer)],
  ["ka.auditid", (event) => text(event["auditID"])],
  ["ka.stage", (event) => text(event["stage"])],
  ["ka.auth.decision", annotation("authorization.k8s.io/decision")],
  ["ka.auth.reason", annotation("authorization.k8s.io/reason")],
  ["ka.auth.openshift.decision", annotation("authentication.openshift.io/decision")],
  ["ka.auth.openshift.username", annotation("authentication.openshift.io/username")],
  ["ka.validations.admission.policy.failure", annotation("validation.policy.admission.k8s.io/validation_failure")],
  ["ka.user.name", (event) => text(record(event["user"])["username"])],
  ["ka.user.groups", (event) => texts(record(event["user"])["groups"])],
  ["ka.impuser.name", (event) => text(record(event["impersonatedUser"])["username"])],
  ["ka.impuser.groups", (event) => texts(record(event["impersonatedUser"])["groups"])],
  ["ka.verb", (event) => text(event["verb"])],
  ["ka.uri", (event) => text(event["requestURI"])],
  ["ka.uri.param", (event, name = "") => uriParameter(text(event["requestURI"]) ?? "", name)],
  ["ka.sourceips", (event, index) => picked(texts(event["sourceIPs"]), index)],
  ["ka.target.name", reference("name")],
  ["ka.target.namespace", reference("namespace")],
  ["ka.target.resource", reference("resource")],
  ["ka.target.subresource", reference("subresource")],
  ["ka.target.pod.name", (event) => (ofKind(event, "pods") ? reference("name")(event) : undefined)],
  ["ka.req.binding.subjects", (event) => named(request(event)["subjects"])],
  ["ka.req.binding.role", (event) => text(record(request(event)["roleRef"])["name"])],
  ["ka.req.binding.subject.has_name", () => "N/A"],
  [
    "ka.req.configmap.name",
    (event) => ifKind(event, "configmaps", (object) => text(record(object["metadata"])["name"])),
  ],
  ["ka.req.configmap.obj", (event) => ifKind(event, "configmaps", (object) => JSON.stringify(object["data"] ?? {}))],
  ["ka.req.role.rules", (event) => ruleObjects(event)?.map((rule) => JSON.stringify(rule))],
  ["ka.req.role.rules.apiGroups", roleParts("apiGroups")],
  ["ka.req.role.rules.nonResourceURLs", roleParts("nonResourceURLs")],
  ["ka.req.role.rules.verbs", roleParts("verbs")],
  ["ka.req.role.rules.resources", roleParts("resources")],
  ["ka.req.service.type", (event) => ifKind(event, "services", (object) => text(record(object["spec"])["type"]))],
  ["ka.req.service.ports", (event, index) => picked(servicePorts(event), index)],
  ["ka.resp.name", (event) => text(record(record(event["responseObject"])["metadata"])["name"])],
  ["ka.response.code", (event) => scalar(record(event["responseStatus"])["code"])],
  ["ka.response.reason", (event) => text(record(event["responseStatus"])["reason"])],
  ["ka.useragent", (event) => text(event["userAgent"])],
  ...podFields.map(([name, of]): [string, Getter] => [name, (event, argument) => of(podSpec(event), argument)]),
]);

function time(event: Json): string | undefined {
  return text(event["stageTimestamp"]) ?? text(event["requestReceivedTimestamp"]);
}

function nanoseconds(event: Json): number | undefined {
  const at = Date.parse(time(event) ?? "");
  return Number.isFinite(at) ? at * 1e6 : undefined;
}

/** JSON pointer (RFC 6901). Falco's plugin takes one with dots for slashes in `jevt.value`, too. */
function atPointer(event: Json, pointer: string): FieldValue {
  let at: unknown = event;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Json)[key];
  }
  if (at === undefined || at === null) return undefined;
  return typeof at === "object" ? JSON.stringify(at) : scalar(at);
}

function uriParameter(uri: string, name: string): string | undefined {
  const query = uri.indexOf("?");
  if (query < 0) return undefined;
  return new URLSearchParams(uri.slice(query + 1)).get(name) ?? undefined;
}

function texts(value: unknown): string[] | undefined {
  const found = list(value)
    .map(scalar)
    .filter((item) => item !== undefined);
  return found.length === 0 ? undefined : found;
}

function named(value: unknown): string[] | undefined {
  const found = list(value)
    .map((item) => text(record(item)["name"]))
    .filter((name) => name !== undefined);
  return found.length === 0 ? undefined : found;
}

function picked(values: string[] | undefined, index: string | undefined): FieldValue {
  if (index === undefined || values === undefined) return values;
  const value = values[Number(index)];
  return value === undefined ? undefined : [value];
}

function ifKind(event: Json, resource: string, of: (object: Json) => FieldValue): FieldValue {
  return ofKind(event, resource) ? of(request(event)) : undefined;
}

function ruleObjects(event: Json): Json[] | undefined {
  if (!ofKind(event, "roles", "clusterroles")) return undefined;
  return list(request(event)["rules"]).map(record);
}

function roleParts(key: string): Getter {
  return (event, index) => {
    const rules = ruleObjects(event);
    const chosen = index === undefined ? rules : rules?.slice(Number(index), Number(index) + 1);
    const found = chosen?.flatMap((rule) => texts(rule[key]) ?? []);
    return found === undefined || found.length === 0 ? undefined : found;
  };
}

function servicePorts(event: Json): string[] | undefined {
  if (!ofKind(event, "services")) return undefined;
  const ports = list(record(request(event)["spec"])["ports"]).map((port) =>
    scalar(record(port)["nodePort"] ?? record(port)["port"]),
  );
  return ports.filter((port) => port !== undefined);
}

/** Where the pod is in what was asked for: a pod itself, or the template of a workload; undefined for other objects. */
function podSpec(event: Json): Json | undefined {
  const spec = record(request(event)["spec"]);
  if (ofKind(event, "pods")) return list(spec["containers"]).length > 0 ? spec : undefined;
  const template = record(record(spec["jobTemplate"])["spec"]);
  const inner = record(record(template["template"] ?? spec["template"])["spec"]);
  return list(inner["containers"]).length > 0 ? inner : undefined;
}
