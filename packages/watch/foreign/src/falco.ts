import { createHash } from "node:crypto";
import { capabilityNames, type Alert, type Ancestor, type Process } from "@bulwark/model";
import { imageParts, priorityNamed, ruleIdOf, severityOf, techniquesOf } from "@bulwark/rules";
import { BrokenLine, nanosecondsAt, objectAt, shown, textAt, type Json } from "./json.ts";
import { runtimeNamed } from "./runtime.ts";

/** Who a process belongs to is not told. */
const noUser = -1;
const evidenceKept = 63;

/** A line of Falco with `json_output: true`. Source: falco.org, "Outputs formatting", and the fields of its engine. */
export function isFalco(record: Json): boolean {
  return "rule" in record && "priority" in record && ("output" in record || "output_fields" in record);
}

/** What Falco tells of itself, and no rule has found. */
export function isFalcoMetrics(record: Json): boolean {
  return record["rule"] === "Falco internal: metrics snapshot";
}

/**
 * An alert of Falco in Bulwark's form. It was judged by Falco and is not judged again. What Falco's output does not name
 * is not known: user -1, process id 0, empty texts. Falco joins the words of a command line with blanks, so words with
 * blanks in them come apart. The same line gives the same id. `node`: where Falco does not say on which it runs.
 */
export function falcoAlert(record: Json, node: string): Alert {
  const priority = priorityNamed(textAt(record["priority"], 32));
  if (priority === undefined) throw new BrokenLine(`priority is none of Falco's: ${shown(record["priority"])}`);
  const rule = textAt(record["rule"], 256);
  if (rule === "") throw new BrokenLine("an alert of Falco without the name of its rule");
  const fields = fieldsOf(objectAt(record["output_fields"]));
  const time = timeOf(record, fields);
  const host = textAt(record["hostname"], 128) || node;
  const output = textAt(record["output"]);
  const hash = createHash("sha256")
    .update(JSON.stringify([record["time"], rule, output]))
    .digest("hex");
  const tags = Array.isArray(record["tags"]) ? record["tags"].slice(0, 64).map((tag) => textAt(tag, 64)) : [];
  return {
    id: `${host}/falco/${hash.slice(0, 32)}`,
    time,
    node: host,
    rule: ruleIdOf(rule),
    title: rule,
    description: "",
    remedy: "",
    severity: severityOf[priority],
    techniques: techniquesOf(tags).slice(0, 16),
    ...ownerOf(fields),
    process: processOf(fields),
    ancestors: ancestorsOf(fields),
    evidence: [
      { key: "output", value: output },
      ...[...fields].slice(0, evidenceKept).map(([key, value]) => ({ key: key.slice(0, 64), value })),
    ],
    events: [],
  };
}

type Fields = ReadonlyMap<string, string>;

/** Those that have a value: Falco writes null, and `<NA>`, where there is none. */
function fieldsOf(told: Json): Fields {
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(told).slice(0, 256)) {
    if (value === null || value === "" || value === "<NA>") continue;
    fields.set(key, textAt(typeof value === "string" ? value : JSON.stringify(value)));
  }
  return fields;
}

/** Milliseconds since the epoch. `evt.time` is in nanoseconds. */
function timeOf(record: Json, fields: Fields): number {
  const time = nanosecondsAt(record["time"]) ?? nanosecondsOf(fields.get("evt.time"));
  if (time === undefined) throw new BrokenLine(`time is none: ${shown(record["time"])}`);
  return Number(time / 1_000_000n);
}

function nanosecondsOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{19}$/.test(text) ? BigInt(text) : undefined;
}

function ownerOf(fields: Fields): Pick<Alert, "attribution" | "container"> {
  const field = (name: string): string => fields.get(name) ?? "";
  const id = field("container.full_id") || field("container.id");
  if (id === "host") return { attribution: "host", container: null };
  if (id === "") return { attribution: "unknown", container: null };
  const image = field("container.image") || joined(field("container.image.repository"), field("container.image.tag"));
  const digest = field("container.image.digest") || imageParts(image).digest;
  const name = field("container.name");
  const pod = field("k8s.pod.name");
  return {
    attribution: "container",
    container: {
      id: id.slice(0, 256),
      name: name.slice(0, 512),
      runtime: runtimeNamed(field("container.type")),
      image: { name: image.slice(0, 1024), digest: digest?.slice(0, 128) ?? null },
      pod:
        pod === ""
          ? null
          : {
              name: pod.slice(0, 256),
              namespace: field("k8s.ns.name").slice(0, 256),
              uid: (field("k8s.pod.uid") || field("k8s.pod.id")).slice(0, 128),
              container: name.slice(0, 256),
            },
      labels: {},
    },
  };
}

function joined(repository: string, tag: string): string {
  return repository === "" || tag === "" ? repository : `${repository}:${tag}`;
}

/** Null where nothing of a process is told: alerts of other sources than system calls. */
function processOf(fields: Fields): Process | null {
  const field = (name: string): string => fields.get(name) ?? "";
  const number = (name: string): number => numberOf(fields.get(name));
  const known = ["proc.name", "proc.exepath", "proc.exe", "proc.cmdline", "proc.pid"].some((name) => fields.has(name));
  if (!known) return null;
  const executable = field("proc.exepath") || field("proc.exe");
  return {
    pid: number("proc.pid"),
    containerPid: number("proc.vpid"),
    parentPid: number("proc.ppid"),
    startTime: "0",
    name: (field("proc.name") || nameOf(executable)).slice(0, 64),
    executable,
    arguments: wordsOf(field("proc.cmdline") || field("proc.exeline")),
    argumentsCut: false,
    workingDirectory: field("proc.cwd"),
    uid: userOf(fields.get("user.uid")),
    gid: userOf(fields.get("group.gid")),
    effectiveUid: userOf(fields.get("user.uid")),
    capabilities: capabilitiesOf(field("thread.cap_effective")),
    origin: originOf(fields),
    stdio: [],
  };
}

/** Up to the first one of which nothing is told. */
function ancestorsOf(fields: Fields): Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (let level = 1; level <= 32; level++) {
    const field = (name: string): string =>
      fields.get(`proc.a${name}[${level}]`) ?? (level === 1 ? fields.get(`proc.p${name}`) : undefined) ?? "";
    const executable = field("exepath") || field("exe");
    const [name, command] = [field("name") || nameOf(executable), field("cmdline")];
    if (name === "" && command === "") break;
    const pid = numberOf(fields.get(level === 1 ? "proc.ppid" : `proc.apid[${level}]`));
    const words = wordsOf(command).slice(0, 64);
    ancestors.push({ pid, startTime: "0", name: name.slice(0, 64), executable, arguments: words, uid: noUser });
  }
  return ancestors;
}

function originOf(fields: Fields): Process["origin"] {
  const flags = fields.get("evt.arg.flags") ?? "";
  if (fields.get("proc.is_exe_from_memfd") === "true" || flags.includes("EXE_FROM_MEMFD")) return "memory";
  if (fields.get("proc.is_exe_upper_layer") === "true" || flags.includes("EXE_UPPER_LAYER")) return "writable-layer";
  return fields.get("proc.is_exe_lower_layer") === "true" || flags.includes("EXE_LOWER_LAYER") ? "image" : "unknown";
}

function capabilitiesOf(names: string): string {
  const bits = names.split(/[\s,]+/).map((name) => capabilityNames.indexOf(name));
  const set = bits.reduce((all, bit) => (bit < 0 ? all : all | (1n << BigInt(bit))), 0n);
  return set.toString(16).padStart(16, "0");
}

function wordsOf(command: string): string[] {
  return command === "" ? [] : command.split(" ", 256);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0;
}

function userOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : noUser;
}
