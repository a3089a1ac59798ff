import { bigAt, objectAt, objectsAt, textAt, type Json } from "../json.ts";
import type { Call, Reading } from "./deed.ts";
import { doneTo, fileDeed, fileFunctions } from "./file.ts";
import { socketDeed, socketFunctions } from "./socket.ts";
import { callByNumber, callDeed, callOf } from "./system-call.ts";

/** What one kind of event says of what was done. */
export type Reader = (event: Json) => { what: string; reading: Reading };

/** Kinds of Tetragon's events that tell of a deed; a new one is a line here. Source: api/v1/tetragon/events.proto. */
export const readers: ReadonlyMap<string, Reader> = new Map(
  Object.entries<Reader>({
    process_kprobe: ofFunction,
    process_lsm: ofFunction,
    process_tracepoint: ofTracepoint,
    process_loader: (event) => {
      const path = textAt(event["path"]);
      return { what: "", reading: path === "" ? "file is not told" : doneTo(path, "execute") };
    },
  }),
);

const mostArguments = 8;
const unknownFunction = "not understood";

/** `file_open` in the security module is `security_file_open` in the kernel. */
function ofFunction(event: Json): { what: string; reading: Reading } {
  const what = textAt(event["function_name"], 128);
  const name = what.replace(/^security_/, "");
  const call = callFrom(name, event);
  const served = callOf(what);
  return { what, reading: served ? callDeed({ ...call, name: served.name }, served.isCompat) : ofKernel(call) };
}

function ofKernel(call: Call): Reading {
  const socket = socketFunctions.get(call.name);
  if (socket) return socketDeed(socket, call);
  const file = fileFunctions.get(call.name);
  if (file) return fileDeed(file, call);
  // The module has been read and checked, whichever of the two calls brought it.
  if (call.name === "do_init_module") return callDeed({ ...call, name: "init_module", args: [], returned: 0 }, false);
  return unknownFunction;
}

function ofTracepoint(event: Json): { what: string; reading: Reading } {
  const what = `${textAt(event["subsys"], 64)}/${textAt(event["event"], 64)}`;
  const call = callFrom("", event);
  const named = /^syscalls\/sys_enter_(\w+)$/.exec(what)?.[1];
  const served =
    named === undefined
      ? what === "raw_syscalls/sys_enter"
        ? callByNumber(call.args)
        : undefined
      : { name: named, isCompat: false };
  if (what === "sched/sched_process_exec") return { what, reading: "process_exec tells it" };
  if (served === undefined) return { what, reading: unknownFunction };
  const args = named === undefined ? [] : call.args;
  return { what, reading: callDeed({ ...call, name: served.name, args }, served.isCompat) };
}

function callFrom(name: string, event: Json): Call {
  const returned = objectAt(event["return"]);
  const value = bigAt(returned["int_arg"]) ?? bigAt(returned["long_arg"]) ?? bigAt(returned["size_arg"]);
  return {
    name,
    args: objectsAt(event["args"], mostArguments),
    returned: value === undefined ? null : Number(BigInt.asIntN(64, value)),
    isRefused: event["action"] === "KPROBE_ACTION_OVERRIDE" || event["return_action"] === "KPROBE_ACTION_OVERRIDE",
  };
}
