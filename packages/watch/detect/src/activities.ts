import type { ActivityEvent, CallActivity, DnsActivity, SocketActivity } from "@bulwark/model";
import { capabilityNames } from "@bulwark/model/plain";
import {
  answerCode,
  argumentNames,
  questionName,
  type ActivityRecord,
  type CallRecord,
  type DnsRecord,
  type SocketRecord,
} from "@bulwark/sensor";

type Payload<Event> = Event extends ActivityEvent ? Pick<Event, Extract<"kind" | Event["kind"], keyof Event>> : never;
/** The part of an event that its kind adds. */
export type Activity = Payload<ActivityEvent>;

const pathLimit = 4096;
const answersLimit = 32;

/** A record of the sensor in the model's words, within the model's bounds. Undefined for what is no event of a process. */
export function toActivity(record: ActivityRecord): Activity | undefined {
  switch (record.type) {
    case "file": {
      const { operation, path, newPath, isDirectory } = record;
      return { kind: "file", file: { operation, path: cut(path), newPath: cut(newPath), isDirectory } };
    }
    case "socket":
      return { kind: "socket", socket: toSocket(record) };
    case "dns":
      return { kind: "dns", dns: toDns(record) };
    case "call":
      return { kind: "call", call: toCall(record) };
    case "setting": {
      const { operation, name, value } = record;
      return { kind: "setting", setting: { operation, name: cut(name), value: cut(value) } };
    }
    case "device": {
      const { kind, major, minor, access } = record;
      return { kind: "device", device: { kind, major, minor, access } };
    }
    case "signal": {
      const { pid, startTime, name } = record.target;
      return { kind: "signal", signal: { signal: record.signal, target: { pid, startTime: String(startTime), name } } };
    }
    case "flood":
      return undefined;
  }
}

function cut(text: string): string {
  return text.slice(0, pathLimit);
}

/** include/linux/socket.h */
const families: Record<number, SocketActivity["family"]> = {
  1: "unix",
  2: "ipv4",
  10: "ipv6",
  16: "netlink",
  17: "packet",
  38: "alg",
  40: "vsock",
};
const kinds: Record<number, SocketActivity["kind"]> = { 1: "stream", 2: "datagram", 3: "raw", 10: "packet" };

function toSocket({ operation, family, kind, protocol, local, remote, path }: SocketRecord): SocketActivity {
  return {
    operation,
    family: families[family] ?? "other",
    kind: kinds[kind] ?? "other",
    protocol,
    local,
    remote,
    path: cut(path),
  };
}

function toDns({ name, kind, code, answers, server }: DnsRecord): DnsActivity {
  return {
    name: name.slice(0, 256),
    kind: questionName(kind),
    code: answerCode(code),
    answers: answers.slice(0, answersLimit).map((answer) => answer.slice(0, 256)),
    server,
  };
}

function toCall(record: CallRecord): CallActivity {
  const { name, texts, arguments: values, capability, granted, result } = record;
  const parameters = argumentNames(name);
  return {
    name,
    arguments: parameters.map((parameter, index) => ({
      name: parameter,
      value: cut(texts[index] ?? numberText(values[index] ?? 0n)),
    })),
    capability: capability === null ? null : (capabilityNames[capability] ?? `CAP_${capability}`),
    granted,
    result,
  };
}

/** Small numbers as people write them; flags and addresses in hexadecimal. */
function numberText(value: bigint): string {
  return value < 4096n ? String(value) : `0x${value.toString(16)}`;
}
