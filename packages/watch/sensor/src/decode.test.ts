import assert from "node:assert/strict";
import { test } from "node:test";
import {
  array,
  assert as check,
  constant,
  integer,
  nat,
  oneof,
  property,
  record as anyRecord,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { createDecoder } from "./decode.ts";
import { SensorError } from "./error.ts";
import type { LossRecord, ProcessRecord, DecodedRecord } from "./record.ts";

/** Frames as the table in README.md gives them, put together without anything of decode.ts. */
type Field = [bytes: 1 | 2 | 4 | 8, value: number | bigint] | Uint8Array | string;

function pack(...fields: Field[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      if (typeof field === "string") return Buffer.from(field);
      if (field instanceof Uint8Array) return field;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(field[1])));
      return bytes.subarray(0, field[0]);
    }),
  );
}

function frame(type: number, sequence: number, ...fields: Field[]): Buffer {
  const body = pack(...fields);
  return pack("BLWK", [2, 4], [2, type], [4, 32 + body.length], [4, 0], [8, sequence], [8, 1_000_000_000], body);
}

const address = (hex: string) => Buffer.concat([Buffer.from(hex, "hex"), Buffer.alloc(16)]).subarray(0, 16);
const noSocket = Buffer.alloc(40);
const closed = Buffer.alloc(56);

const tcp = (family: number, state: number, local: [string, number], remote: [string, number]) =>
  pack([2, family], [1, state], [1, 0], [2, local[1]], [2, remote[1]], address(local[0]), address(remote[0]));

interface Texts {
  name?: string;
  filename?: string;
  interpreter?: string;
  arguments?: string;
  executable?: string;
  directory?: string;
  cgroup2?: string;
  cgroup1?: string;
  environment?: string;
}

function processFrame(
  type: number,
  sequence: number,
  texts: Texts,
  more: { origin?: number; flags?: number; ends?: [number, number]; stdio?: Buffer[]; lengthsOff?: number } = {},
): Buffer {
  const all = [
    texts.name ?? "sh",
    texts.filename ?? "/bin/sh",
    texts.interpreter ?? "",
    texts.arguments ?? "sh\0-c\0id\0",
    texts.executable ?? "busybox\0bin\0",
    texts.directory ?? "tmp\0",
    texts.cgroup2 ?? "pod\0kubepods\0",
    texts.cgroup1 ?? "",
    texts.environment ?? "",
  ].map((text) => Buffer.from(text));
  const fields: Field[] = [
    [8, 111],
    [8, 222],
    [8, 0x1ff_ffff_ffffn],
    [8, 0x1ff_ffff_fffen],
    [8, 0x1n],
    [8, 0x2000_0000],
    [8, 4711],
    [4, 10],
    [4, 9],
    [4, 1],
    [4, 4_026_531_999],
    [4, 4_026_531_998],
    [4, 4_026_531_997],
    [4, 4_026_531_996],
    [4, 4_026_531_995],
    [4, 1000],
    [4, 1001],
    [4, 0],
    [4, 1002],
    [4, 1003],
    [4, 8],
    [4, 7],
    [4, (136 << 20) | 300],
    [4, 0o104755],
    [4, 1004],
    [1, more.origin ?? 2],
    [1, more.flags ?? 0],
    [1, more.ends?.[0] ?? 0],
    [1, more.ends?.[1] ?? 0],
    ...all.map((text, i): Field => [2, text.length + (i === 0 ? (more.lengthsOff ?? 0) : 0)]),
    [2, 0],
    ...(more.stdio ?? [closed, closed, closed]),
    ...all,
  ];
  return frame(type, sequence, ...fields);
}

function decode(...frames: Buffer[]): DecodedRecord[] {
  const decoder = createDecoder();
  const records: DecodedRecord[] = [];
  decoder.push(Buffer.concat(frames), records);
  decoder.end();
  return records;
}

const only = (...frames: Buffer[]) => {
  const records = decode(...frames);
  assert.equal(records.length, 1);
  return records[0];
};

function onlyExec(texts: Texts, ends: [number, number] = [0, 0]): ProcessRecord | undefined {
  const record = only(processFrame(2, 0, texts, { ends }));
  return record?.type === "exec" ? record : undefined;
}

test("an exec has every field", () => {
  const stdio = [
    pack([8, 77], [4, 0o140000], [4, 0], tcp(2, 1, ["7f000001", 40_000], ["0a000005", 4444])),
    pack([8, 3], [4, 0o020000], [4, (136 << 20) | 300], noSocket),
    closed,
  ];
  assert.deepEqual(only(processFrame(2, 0, { cgroup1: "abc\0docker\0" }, { stdio })), {
    type: "exec",
    sequence: 0n,
    time: 1_000_000_000n,
    pid: 10,
    parentPid: 9,
    startTime: 111n,
    parentStartTime: 222n,
    containerPid: 1,
    mountNamespace: 4_026_531_999,
    pidNamespace: 4_026_531_998,
    networkNamespace: 4_026_531_997,
    userNamespace: 4_026_531_996,
    cgroupNamespace: 4_026_531_995,
    cgroups: ["/kubepods/pod", "/docker/abc"],
    uid: 1000,
    gid: 1001,
    effectiveUid: 0,
    savedUid: 1002,
    loginUid: 1003,
    capabilities: 0x1ff_ffff_ffffn,
    permitted: 0x1ff_ffff_fffen,
    inheritable: 0x1n,
    session: 8,
    processGroup: 7,
    // makedev(136, 300) in glibc
    terminal: 0x10882c,
    cloneFlags: 0x2000_0000n,
    name: "sh",
    executable: "/bin/busybox",
    filename: "/bin/sh",
    interpreter: "",
    executableInode: 4711n,
    executableMode: 0o104755,
    executableUid: 1004,
    gainsRights: false,
    arguments: ["sh", "-c", "id"],
    argumentsCut: false,
    workingDirectory: "/tmp",
    origin: "lower",
    kernelParent: false,
    stdio: [
      {
        fd: 0,
        mode: 0o140000,
        inode: 77,
        device: 0,
        family: 2,
        state: 1,
        local: { ip: "127.0.0.1", port: 40_000 },
        remote: { ip: "10.0.0.5", port: 4444 },
      },
      // makedev(136, 300) in glibc
      { fd: 1, mode: 0o020000, inode: 3, device: 0x10882c, family: 0, state: 0, local: null, remote: null },
      { fd: 2, mode: 0, inode: 0, device: 0, family: 0, state: 0, local: null, remote: null },
    ],
  });
});

test("fork and snapshot are told apart, flags and origins are read", () => {
  const [fork, snapshot] = decode(
    processFrame(3, 0, { filename: "" }, { flags: 1, origin: 3 }),
    processFrame(4, 1, { interpreter: "/bin/awk" }, { flags: 2 | 4, origin: 4 }),
  );
  assert.ok(fork?.type === "fork" && snapshot?.type === "snapshot");
  assert.deepEqual([fork.argumentsCut, fork.kernelParent, fork.origin, fork.filename], [true, false, "upper", ""]);
  assert.deepEqual([snapshot.argumentsCut, snapshot.kernelParent, snapshot.origin], [false, true, "memory"]);
  assert.deepEqual([snapshot.gainsRights, snapshot.interpreter], [true, "/bin/awk"]);
});

function path(executable: string, end: number): string | undefined {
  return onlyExec({ executable }, [end, 0])?.executable;
}

test("a path says how it ended", () => {
  assert.equal(path("", 0), "/");
  assert.equal(path("c\0b\0a\0", 0), "/a/b/c");
  assert.equal(path("runc\0", 1), "(unreachable)/runc");
  assert.equal(path("memfd:x/y\0", 2), "memfd:x/y");
  assert.equal(path("c\0b\0", 3), "…/b/c");
  assert.equal(path("", 4), "");
});

function args(text: string): string[] | undefined {
  return onlyExec({ arguments: text })?.arguments;
}

test("arguments may be empty, hold nothing, or be cut in the middle", () => {
  assert.deepEqual(args(""), []);
  assert.deepEqual(args("\0"), [""]);
  assert.deepEqual(args("a\0\0b\0"), ["a", "", "b"]);
  assert.deepEqual(args("a\0bc"), ["a", "bc"]);
});

test("an unconnected socket has no remote end, a UNIX socket has no address", () => {
  const stdio = [
    pack([8, 1], [4, 0o140000], [4, 0], tcp(10, 10, ["", 80], ["", 0])),
    pack([8, 2], [4, 0o140000], [4, 0], [2, 1], [1, 1], new Uint8Array(37)),
    closed,
  ];
  const record = only(processFrame(2, 0, {}, { stdio }));
  assert.ok(record?.type === "exec");
  assert.deepEqual(record.stdio[0]?.local, { ip: "::", port: 80 });
  assert.equal(record.stdio[0]?.remote, null);
  assert.deepEqual([record.stdio[1]?.family, record.stdio[1]?.local], [1, null]);
});

test("exit, connect and accept", () => {
  const four = tcp(2, 2, ["0a000001", 0], ["0a000002", 443]);
  const mapped = tcp(10, 1, ["00000000000000000000ffff0a000001", 80], ["20010db8000000000000000000000001", 9]);
  const [exit, connect, accept] = decode(
    frame(5, 0, [8, 55], [4, 10], [4, 0x0700]),
    frame(6, 1, actor({ startTime: 55, pid: 10, networkNamespace: 99 }), four, [8, 0]),
    frame(7, 2, actor({ startTime: 0, pid: 0, networkNamespace: 99 }), mapped, [8, 0]),
  );
  const common = { time: 1_000_000_000n };
  assert.deepEqual(exit, { type: "exit", sequence: 0n, ...common, pid: 10, startTime: 55n, exitCode: 0x0700 });
  assert.deepEqual(connect, {
    type: "connect",
    sequence: 1n,
    ...common,
    pid: 10,
    startTime: 55n,
    networkNamespace: 99,
    local: { ip: "10.0.0.1", port: 0 },
    remote: { ip: "10.0.0.2", port: 443 },
  });
  assert.deepEqual(accept, {
    type: "accept",
    sequence: 2n,
    ...common,
    pid: 0,
    startTime: 0n,
    networkNamespace: 99,
    local: { ip: "10.0.0.1", port: 80 },
    remote: { ip: "2001:db8::1", port: 9 },
  });
});

const someone = { pid: 10, startTime: 55, networkNamespace: 99 };

function actor({ startTime, pid, networkNamespace }: typeof someone): Buffer {
  const namespaces: Field[] = [
    [4, 97],
    [4, 98],
    [4, networkNamespace],
    [4, 96],
  ];
  return pack([8, startTime], [8, 0x21n], [4, pid], [4, 11], ...namespaces, [4, 1], [4, 2], [4, 3], [4, 0]);
}

const bySomeone = {
  sequence: 0n,
  time: 1_000_000_000n,
  pid: 10,
  startTime: 55n,
  thread: 11,
  mountNamespace: 97,
  pidNamespace: 98,
  networkNamespace: 99,
  userNamespace: 96,
  uid: 1,
  effectiveUid: 2,
  savedUid: 3,
  capabilities: 0x21n,
};

interface CallMore {
  compat?: number;
  result?: number;
  socket?: Uint8Array;
  opened?: { flags: number; mode: number; names: string; end: number };
}

/** A call: its number, the capability that it asked for, and the texts of its arguments. */
function callFrame(number: number, answer: number, texts: (string | null)[], more: CallMore = {}): Buffer {
  const numbers = [1, 2, 3, 4, 5, 6].map((value): Field => [8, value]);
  const lengths = texts.map((text): Field => [2, text === null ? 0xffff : Buffer.byteLength(text)]);
  const { compat = 0, result, socket = noSocket, opened } = more;
  const { flags, mode, names, end } = opened ?? { flags: 0, mode: 0, names: "", end: 4 };
  const file: Field[] = [
    [8, flags],
    [4, mode],
    [2, Buffer.byteLength(names)],
    [1, end],
    [1, 0],
  ];
  const after: Field[] = [
    [1, compat],
    [1, answer],
    [1, result === undefined ? 0 : 1],
    [1, 1],
    ...lengths,
    socket,
    ...file,
  ];
  const held = texts.filter((text) => text !== null);
  return frame(10, 0, actor(someone), ...numbers, [8, result ?? 0], [4, number], [4, 21], ...after, ...held, names);
}
const none = null;

test("of an environment only what was asked for is kept", () => {
  const environment = "PATH=/bin\0LD_PRELOAD=/tmp/x.so\0LD_PRELOADED=1\0TOKEN=secret\0LD_PRELOAD";
  const kept = (...names: string[]): unknown => {
    const records: DecodedRecord[] = [];
    createDecoder({ environment: names }).push(processFrame(2, 0, { environment }, { flags: 16 }), records);
    const [record] = records;
    assert.ok(record?.type === "exec");
    return [record.environment, record.environmentCut];
  };
  assert.deepEqual(kept("LD_PRELOAD", "HOME"), [["LD_PRELOAD=/tmp/x.so"], true]);
  assert.deepEqual(kept(), [[], true]);
  assert.deepEqual(kept("*"), [environment.split("\0"), true]);
  const plain = only(processFrame(2, 0, {}));
  assert.equal("environment" in (plain ?? {}), false);
});

test("a call has its name, what its pointers point to, and whether it was granted", () => {
  assert.deepEqual(only(callFrame(165, 2, ["/dev/vda", "/mnt", "", none, none, none])), {
    type: "call",
    ...bySomeone,
    name: "mount",
    isCompat: false,
    arguments: [1n, 2n, 3n, 4n, 5n, 6n],
    texts: ["/dev/vda", "/mnt", "", null, null, null],
    capability: 21,
    granted: false,
    result: null,
  });
  const noTexts = [none, none, none, none, none, none];
  const compat = only(callFrame(21, 1, noTexts, { compat: 1 }));
  assert.ok(compat?.type === "call");
  assert.deepEqual([compat.name, compat.isCompat, compat.granted], ["mount", true, true]);
  const unknown = only(callFrame(9999, 0, noTexts));
  assert.ok(unknown?.type === "call");
  assert.deepEqual([unknown.name, unknown.capability, unknown.granted], ["call_9999", null, null]);
  assert.equal("socket" in unknown, false);
  const socket = tcp(2, 1, ["ac110002", 40_000], ["c6336409", 4444]);
  const moved = only(callFrame(33, 0, noTexts, { result: 1, socket }));
  assert.ok(moved?.type === "call");
  assert.deepEqual([moved.name, moved.result], ["dup2", 1]);
  const [local, remote] = [
    { ip: "172.17.0.2", port: 40_000 },
    { ip: "198.51.100.9", port: 4444 },
  ];
  assert.deepEqual(moved.socket, { family: 2, local, remote });
});

test("a call that opens has where the file is, whatever the path said", () => {
  const texts = [none, "../../etc/shadow", none, none, none, none];
  const opened = { flags: 0x8000, mode: 0o100_000, names: "shadow\0etc\0", end: 0 };
  const call = only(callFrame(257, 0, texts, { result: 3, opened }));
  assert.ok(call?.type === "call");
  assert.deepEqual(
    [call.name, call.texts[1], call.opened],
    ["openat", "../../etc/shadow", { place: "/etc/shadow", flags: 0x8000, mode: 0o100_000 }],
  );
});

test("what is done to sockets, files, settings, devices and other processes", () => {
  const unix = pack([2, 1], [1, 0], [1, 0], [4, 0], new Uint8Array(32));
  const path = Buffer.from("\0containerd-shim/x.sock");
  assert.deepEqual(only(frame(11, 0, actor(someone), unix, [1, 0], [1, 1], [2, 0], [2, path.length], [2, 0], path)), {
    type: "socket",
    ...bySomeone,
    operation: "connect",
    family: 1,
    kind: 1,
    protocol: 0,
    local: null,
    remote: null,
    path: "@containerd-shim/x.sock",
  });
  assert.deepEqual(only(frame(12, 0, actor(someone), [8, 7], [1, 5], [1, 1], [2, 2], [2, 3], [2, 0], "/a/bb")), {
    type: "file",
    ...bySomeone,
    operation: "rename",
    path: "/a",
    newPath: "/bb",
    isDirectory: true,
    inode: 7n,
  });
  const reached = only(frame(12, 0, actor(someone), [8, 7], [1, 1], [1, 2], [2, 2], [2, 0], [2, 0], "/a"));
  assert.ok(reached?.type === "file" && reached.isThroughNamespace === true && !reached.isDirectory);
  const held = only(frame(12, 0, actor(someone), [8, 7], [1, 1], [1, 4], [2, 2], [2, 0], [2, 0], "/a"));
  assert.ok(held?.type === "file" && held.isOpen === true && held.isByDescriptor === undefined);
  const cut = only(frame(12, 0, actor(someone), [8, 7], [1, 7], [1, 8], [2, 2], [2, 0], [2, 0], "/a"));
  assert.ok(cut?.type === "file" && cut.operation === "truncate" && cut.isByDescriptor === true);
  const mapped = only(frame(12, 0, actor(someone), [8, 7], [1, 2], [1, 16], [2, 2], [2, 0], [2, 0], "/a"));
  assert.ok(mapped?.type === "file" && mapped.operation === "execute" && mapped.wasWritten === true);
  const name = "kernel/core_pattern";
  assert.deepEqual(only(frame(13, 0, actor(someone), [1, 1], [1, 0], [2, 0], [2, name.length], [2, 2], name, "|x")), {
    type: "setting",
    ...bySomeone,
    operation: "write",
    name,
    value: "|x",
  });
  assert.deepEqual(only(frame(14, 0, actor(someone), [4, 8], [4, 1], [1, 1], [1, 5], new Uint8Array(6))), {
    type: "device",
    ...bySomeone,
    kind: "block",
    major: 8,
    minor: 1,
    access: ["make", "write"],
  });
  const target = pack([8, 66], [4, 20], [4, 98], [4, 9], "sh", new Uint8Array(14), [4, 0]);
  assert.deepEqual(only(frame(15, 0, actor(someone), target)), {
    type: "signal",
    ...bySomeone,
    signal: 9,
    target: { pid: 20, startTime: 66n, name: "sh", pidNamespace: 98 },
  });
  assert.deepEqual(only(frame(17, 0, actor(someone), [8, 12])), { type: "flood", ...bySomeone, passedOver: 12n });
});

test("an answer of a name server is told with its question, and anything else on that port is passed over", () => {
  const question = pack([1, 7], "Example", [1, 3], "org", [1, 0], Buffer.from("00010001", "hex"));
  const answer = Buffer.from("c00c00010001000000050004c6336409", "hex");
  const message = pack(Buffer.from("123481800001000100000000", "hex"), question, answer);
  const packet = (payload: Buffer, protocol = 17) =>
    frame(
      16,
      0,
      actor(someone),
      tcp(2, 0, ["0a000001", 4000], ["0a000035", 53]),
      [2, payload.length],
      new Uint8Array([0, 0, protocol, 0, 0, 0]),
      payload,
    );
  const told = {
    type: "dns",
    ...bySomeone,
    name: "example.org",
    kind: 1,
    code: 0,
    answers: ["198.51.100.9"],
    client: { ip: "10.0.0.1", port: 4000 },
    server: { ip: "10.0.0.53", port: 53 },
  };
  assert.deepEqual(only(packet(message)), { ...told, protocol: "UDP" });
  assert.deepEqual(only(packet(message, 6)), { ...told, protocol: "TCP" });
  assert.deepEqual(decode(packet(Buffer.from("no dns message at all"))), []);
});

test("a flow has both ends, counts and results", () => {
  const mapped = (v4: string) => `00000000000000000000ffff${v4}`;
  const record = only(
    frame(
      20,
      0,
      ...([111, 4711, 1000, 2000, 10, 20, 3, 4].map((value) => [8, value]) satisfies Field[]),
      ...([10, 4_026_531_997, 9, 8, 7, 6, 5, 4, 3].map((value) => [4, value]) satisfies Field[]),
      ...([443, 40_000, 40_001].map((value) => [2, value]) satisfies Field[]),
      [1, 6],
      [1, 1],
      address(mapped("0a000001")),
      address("20010db8000000000000000000000001"),
      Buffer.from("curl".padEnd(16, "\0")),
      [4, 0],
    ),
  );
  assert.deepEqual(record, {
    ...{ type: "flow", sequence: 0n, time: 1_000_000_000n, pid: 10, startTime: 111n, name: "curl", cgroup: 4711n },
    ...{ networkNamespace: 4_026_531_997, role: "client", protocol: 6, local: "10.0.0.1", remote: "2001:db8::1" },
    ...{ port: 443, firstClientPort: 40_000, clientPort: 40_001, first: 1000n, last: 2000n },
    ...{ bytesOut: 10n, bytesIn: 20n, packetsOut: 3n, packetsIn: 4n },
    ...{ begun: 9, established: 8, refused: 7, timedOut: 6, denied: 5, encrypted: 4, policy: 3 },
  });
});

test("the beginning of a connection has its bytes, and who sent them", () => {
  const ends = tcp(2, 1, ["0a000001", 40_000], ["0a000002", 443]);
  const record = only(frame(21, 0, actor(someone), ends, [2, 3], [1, 1], [1, 1], [1, 6], new Uint8Array(3), "abc"));
  assert.ok(record?.type === "opening");
  const { role, fromClient, protocol, local, remote, bytes } = record;
  assert.deepEqual([role, fromClient, protocol, bytes.toString()], ["client", true, 6, "abc"]);
  assert.deepEqual(
    [local, remote],
    [
      { ip: "10.0.0.1", port: 40_000 },
      { ip: "10.0.0.2", port: 443 },
    ],
  );
});

test("ready names the hooks", () => {
  const record = only(frame(1, 0, "exec tp_btf/a\nfork tp_btf/b\n"));
  assert.ok(record?.type === "ready");
  assert.deepEqual(record.hooks, [
    { event: "exec", hook: "tp_btf/a" },
    { event: "fork", hook: "tp_btf/b" },
  ]);
});

const losses = ({ ring, pipe, unreadable, limited, files, flows }: LossRecord) => [
  ring,
  pipe,
  unreadable,
  limited,
  files,
  flows,
];

test("a gap in the numbers is a loss, and stays in what is told later", () => {
  const records = decode(
    frame(5, 0, [8, 1], [4, 1], [4, 0]),
    frame(5, 4, [8, 1], [4, 2], [4, 0]),
    frame(8, 5, [8, 10], [8, 20], [8, 30], [8, 40], [8, 50], [8, 60]),
    frame(5, 7, [8, 1], [4, 3], [4, 0]),
  );
  assert.deepEqual(
    records.map((record) => (record.type === "loss" ? losses(record) : record.type)),
    ["exit", [0n, 3n, 0n, 0n, 0n, 0n], "exit", [10n, 23n, 30n, 40n, 50n, 60n], [10n, 24n, 30n, 40n, 50n, 60n], "exit"],
  );
});

test("times follow the wall clock that the stream tells of, also backwards", () => {
  const decoder = createDecoder();
  decoder.push(frame(9, 0, [8, 1_700_000_000_000_000_000n]), []);
  assert.equal(decoder.epochMs(1_500_000_000n), 1_700_000_001_500);
  decoder.push(frame(9, 1, [8, 1_600_000_000_000_000_000n]), []);
  assert.equal(decoder.epochMs(1_500_000_000n), 1_600_000_001_500);
  decoder.push(frame(9, 2, [8, -500_000_000n]), []);
  assert.equal(decoder.epochMs(1_500_000_000n), 1000);
});

const good = frame(5, 0, [8, 1], [4, 1], [4, 0]);
const altered = (at: number, value: number) => {
  const bytes = Buffer.from(good);
  bytes[at] = value;
  return bytes;
};
const broken: [what: string, bytes: Buffer, message: RegExp][] = [
  ["another magic", altered(0, 0), /begins with 0x4b574c00/],
  ["another version", altered(4, 1), /is of version 1, not 4/],
  ["an unknown type", altered(6, 99), /is of type 99/],
  ["a length that its type does not have", altered(8, 49), /of type 5 is 49 bytes long/],
  ["a length beyond the limit", altered(10, 1), /of type 5 is 65584 bytes long/],
  ["a length inside of the header", altered(8, 3), /is 3 bytes long/],
  ["texts longer than the frame", processFrame(2, 0, {}, { lengthsOff: 1 }), /texts end at/],
  ["texts shorter than the frame", processFrame(2, 0, {}, { lengthsOff: -1 }), /texts end at/],
  ["an unknown origin", processFrame(2, 0, {}, { origin: 5 }), /origin 5/],
  ["an unknown end of a path", processFrame(2, 0, {}, { ends: [0, 9] }), /ends in the way 9/],
  ["a connection without addresses", frame(6, 0, new Uint8Array(104)), /address family 0/],
  ["an operation that there is not", frame(12, 0, new Uint8Array(64), [1, 9], new Uint8Array(7)), /operation 9/],
  ["a list of hooks without end", frame(1, 0, "exec tp"), /does not end in a line end/],
  ["a hook without event", frame(1, 0, " tp\n"), /list of hooks/],
];
for (const [what, bytes, message] of broken) {
  test(`a frame with ${what} is refused, with its place`, () => {
    const decoder = createDecoder();
    const records: DecodedRecord[] = [];
    const before = frame(5, 0, [8, 1], [4, 7], [4, 0]);
    const after = Buffer.from(bytes);
    after.writeBigUInt64LE(1n, 16);
    const refusal = {
      name: "SensorError",
      code: "protocol",
      message: new RegExp(`at byte 48 .*${message.source}`),
    };
    assert.throws(() => decoder.push(Buffer.concat([before, after]), records), refusal);
    assert.equal(records.length, 1, "what came before it is kept");
    assert.throws(() => decoder.push(good, records), refusal);
    assert.throws(() => decoder.end(), refusal);
    assert.equal(records.length, 1);
  });
}

test("a number that was there already is refused", () => {
  assert.throws(() => decode(good, good), { code: "protocol", message: /frame 0 came where 1/ });
});

test("a stream that ends inside of a frame is refused", () => {
  assert.throws(() => decode(good, good.subarray(0, 20)), { code: "protocol", message: /ended inside/ });
});

const anyFrame = oneof(
  anyRecord({ name: string(), executable: string(), arguments: string() }).map((texts) => ({
    make: (sequence: number) => processFrame(2, sequence, texts),
  })),
  constant({ make: (sequence: number) => frame(5, sequence, [8, 1], [4, 1], [4, 0]) }),
  constant({ make: (sequence: number) => frame(8, sequence, new Uint8Array(48)) }),
  constant({ make: (sequence: number) => frame(9, sequence, [8, 1]) }),
  constant({ make: (sequence: number) => frame(20, sequence, new Uint8Array(160)) }),
  constant({
    make: (sequence: number) =>
      frame(21, sequence, actor(someone), tcp(2, 1, ["01", 1], ["02", 2]), [2, 3], new Uint8Array(6), "abc"),
  }),
  constant({ make: (sequence: number) => frame(12, sequence, actor(someone), new Uint8Array(16)) }),
);
const stream = array(anyFrame, { maxLength: 6 }).map((frames) =>
  Buffer.concat(frames.map(({ make }, sequence) => make(sequence))),
);
const cuts = array(nat(400), { maxLength: 20 });

function decodeInPieces(bytes: Buffer, sizes: number[]): DecodedRecord[] {
  const decoder = createDecoder();
  const records: DecodedRecord[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    // A copy that is wiped: records must not look into chunks that are used again.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    decoder.push(chunk, records);
    chunk.fill(0xff);
    at += size;
  }
  decoder.end();
  return records;
}

test("any stream gives the same records however it is cut", () => {
  check(
    property(stream, cuts, (bytes, sizes) => {
      assert.deepEqual(decodeInPieces(bytes, sizes), decode(bytes));
    }),
  );
});

test("whatever comes is decoded or refused as a broken frame, and nothing else happens", () => {
  const damage = array(tuple(nat(), nat(255)), { minLength: 1, maxLength: 4 });
  const damaged = tuple(stream, damage).map(([bytes, changes]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  });
  const noise = uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
  const framedNoise = tuple(integer({ min: 1, max: 17 }), uint8Array({ maxLength: 600 })).map(([type, bytes]) =>
    frame(type, 0, bytes),
  );
  check(
    property(oneof(damaged, noise, framedNoise), cuts, (bytes, sizes) => {
      try {
        decodeInPieces(bytes, sizes);
      } catch (error) {
        assert.ok(error instanceof SensorError && error.code === "protocol", String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
