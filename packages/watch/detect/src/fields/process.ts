import { capabilityNames } from "@bulwark/model/plain";
import type { DescriptorRecord, SensorRecord } from "@bulwark/sensor";
import { baseName } from "../evidence.ts";
import { addressText, type Entry } from "../process-table.ts";
import type { Getter, Subject } from "./event.ts";

const unreachable = "(unreachable)";

const program = ({ executable, arguments: words }: Entry): string => words[0] ?? executable;
const words = ({ arguments: all }: Entry): string => all.slice(1).join(" ");
/**
 * The kernel's short name. A busybox that starts itself for a command of its own is called after the link by which it does
 * so, /proc/self/exe, and renames itself later: it is the command.
 */
const nameOf = ({ name, arguments: [first = ""] }: Entry): string =>
  name === "exe" && first !== "" ? baseName(first).slice(0, 15) : name;
const command = (entry: Entry): string => [nameOf(entry), ...entry.arguments.slice(1)].join(" ");

/** Of the process itself, of its parent, and of any ancestor: `proc.name`, `proc.pname`, `proc.aname[2]`. */
const family: [own: string, parent: string, ancestor: string, of: (entry: Entry) => string | number][] = [
  ["proc.name", "proc.pname", "proc.aname", nameOf],
  ["proc.exe", "proc.pexe", "proc.aexe", program],
  ["proc.exepath", "proc.pexepath", "proc.aexepath", ({ executable }) => executable],
  ["proc.cmdline", "proc.pcmdline", "proc.acmdline", command],
  ["proc.pid", "proc.ppid", "proc.apid", ({ pid }) => pid],
  ["proc.vpid", "proc.pvpid", "proc.avpid", ({ containerPid }) => containerPid],
];

function relatives([own, parent, ancestor, of]: (typeof family)[number]): [string, Getter][] {
  return [
    [own, ({ process }) => of(process)],
    [parent, ({ ancestors }) => (ancestors[0] ? of(ancestors[0]) : undefined)],
    [
      ancestor,
      ({ process, ancestors }, level) => {
        if (level === undefined) return ancestors.map(of);
        const entry = level === "0" ? process : ancestors[Number(level) - 1];
        return entry && of(entry);
      },
    ],
  ];
}

const of =
  (read: (process: Entry) => string | number | boolean | undefined): Getter =>
  ({ process }) =>
    read(process);

export const processFields: readonly (readonly [string, Getter])[] = [
  ...family.flatMap(relatives),
  ["proc.args", ({ process }, index) => (index === undefined ? words(process) : process.arguments[Number(index)])],
  ["proc.env", ({ process }, name) => environmentOf(process, name)],
  [
    "proc.aenv",
    ({ process, ancestors }, level) => {
      if (level === undefined) return ancestors.flatMap((entry) => environmentOf(entry) ?? []);
      const entry = [process, ...ancestors][Number(level)];
      return entry && environmentOf(entry);
    },
  ],
  ["proc.exeline", of((entry) => [program(entry), ...entry.arguments.slice(1)].join(" "))],
  ["proc.cmdnargs", of(({ arguments: all }) => Math.max(0, all.length - 1))],
  // Falco's ends with a slash, and its rules count on it.
  ["proc.cwd", of(({ workingDirectory: path }) => (path === "" ? undefined : path.endsWith("/") ? path : `${path}/`))],
  ["proc.tty", of(({ terminal }) => terminal)],
  ["proc.sid", of(({ session }) => session)],
  ["proc.sname", ({ process, observation }) => observation.table.latest(process.session)?.name],
  ["proc.pgid", of(({ processGroup }) => processGroup)],
  ["proc.is_sid_leader", of(({ session, pid }) => session === pid)],
  ["proc.is_pgid_leader", of(({ processGroup, pid }) => processGroup === pid)],
  ["proc.duration", age],
  ["proc.is_exe_upper_layer", of(({ origin }) => origin === "upper")],
  ["proc.is_exe_lower_layer", of(({ origin }) => origin === "lower")],
  ["proc.is_exe_from_memfd", of(({ origin }) => origin === "memory")],
  ["proc.exe_ino", of(({ executableInode }) => Number(executableInode))],
  ...(["stdin", "stdout", "stderr"] as const).flatMap((name, fd): [string, Getter][] => [
    [`proc.${name}.type`, of(({ stdio }) => descriptorType(stdio.find((item) => item.fd === fd)))],
    [`proc.${name}.name`, of(({ stdio }) => descriptorName(stdio.find((item) => item.fd === fd)))],
  ]),
  ["thread.tid", (subject) => actorOf(subject)?.thread ?? subject.process.pid],
  ["thread.cap_effective", (subject) => capabilities(subject)],
  ["thread.cap_permitted", of(({ permitted }) => names(permitted))],
  ["thread.cap_inheritable", of(({ inheritable }) => names(inheritable))],
  ["thread.cgroups", of(({ cgroups }) => cgroups.join(" "))],
  // As Falco's, the user whose rights count.
  ["user.uid", effectiveUid],
  ["user.name", (subject) => (effectiveUid(subject) === 0 ? "root" : undefined)],
  ["user.loginuid", of(({ loginUid }) => (loginUid === 0xffff_ffff ? -1 : loginUid))],
  ["group.gid", of(({ gid }) => gid)],
  ["bulwark.proc.foreign_exe", of(({ executable }) => executable.startsWith(unreachable))],
  ["bulwark.proc.foreign_cwd", of(({ workingDirectory }) => workingDirectory.startsWith(unreachable))],
  ["bulwark.proc.kernel_parent", of(({ kernelParent }) => kernelParent)],
  // The first of its container.
  ["bulwark.proc.main", ({ process, observation }) => process.pid === observation.container?.pid],
  ["bulwark.proc.script", of(({ interpreter, filename }) => (interpreter === "" ? undefined : filename))],
];

/** Of the variables that were asked for: the value of one, or all of them. Undefined where none of them is set. */
function environmentOf({ environment }: Entry, name?: string): string | undefined {
  if (name === undefined) return environment?.join(" ");
  return environment?.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Nanoseconds since the process began; a `look` has no time of the kernel. */
function age({ observation: { record }, process }: Subject): number | undefined {
  return record && Number(record.time - process.startTime);
}

/**
 * Who did it, as it was at that moment: rights change without an exec. Undefined where the record knows the process alone, as
 * of files and of answers of name servers that were seen where flows are counted.
 */
function actorOf({ observation: { record } }: Subject): Extract<SensorRecord, { thread: number }> | undefined {
  return record && "thread" in record && record.thread !== 0 ? record : undefined;
}

function effectiveUid(subject: Subject): number {
  return actorOf(subject)?.effectiveUid ?? subject.process.effectiveUid;
}

function capabilities(subject: Subject): string {
  return names((actorOf(subject) ?? subject.process).capabilities);
}

function names(bits: bigint): string {
  return capabilityNames.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n).join(" ");
}

/** In the words of `fd.type`. */
function descriptorType(item: DescriptorRecord | undefined): string | undefined {
  if (!item || item.mode === 0) return undefined;
  if (item.family !== 0) return { 1: "unix", 2: "ipv4", 10: "ipv6" }[item.family] ?? "other";
  return { 0o010_000: "pipe", 0o040_000: "directory" }[item.mode & 0o170_000] ?? "file";
}

function descriptorName(item: DescriptorRecord | undefined): string | undefined {
  if (!item?.local || !item.remote) return undefined;
  return `${addressText(item.local)}->${addressText(item.remote)}`;
}
