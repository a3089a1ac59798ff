import { hasMark, textAt, type Json } from "../json.ts";
import { bytesText, firstOf, numbersOf } from "./argument.ts";
import type { Call, Deed, Reading } from "./deed.ts";

type Operation = Extract<Deed, { type: "file" }>["operation"];

/** How a function of the kernel says what is done to the file. */
type Way = Operation | "mask" | "protection" | "not told";

/** Functions of the kernel; those of the security module without `security_`. */
export const fileFunctions: ReadonlyMap<string, Way> = new Map(
  Object.entries<Way>({
    file_permission: "mask",
    file_post_open: "mask",
    mmap_file: "protection",
    path_truncate: "write",
    file_truncate: "write",
    path_chmod: "attributes",
    path_chown: "attributes",
    bprm_check: "execute",
    bprm_check_security: "execute",
    file_open: "not told",
    fd_install: "not told",
  }),
);

export function fileDeed(way: Way, call: Call): Reading {
  const { args, returned, isRefused } = call;
  const file = firstOf(args, "file_arg", "path_arg", "linux_binprm_arg");
  const path = file && pathOf(file);
  if (file === undefined || path === undefined) return "file is not told";
  if (isRefused || (returned !== null && returned < 0)) return "it was refused";
  const operation = operationOf(way, numbersOf(args));
  if (operation === undefined) return "whether it is read or written is not told";
  return doneTo(path, operation, { isDirectory: textAt(file["permission"], 16).startsWith("d") });
}

/** A file below /proc/sys is a setting of the kernel. */
export function doneTo(
  path: string,
  operation: Operation,
  more: { isDirectory?: boolean; newPath?: string; value?: string } = {},
): Deed {
  const setting = /^\/proc\/sys\/(.+)$/s.exec(path)?.[1];
  if (setting !== undefined && (operation === "read" || operation === "write")) {
    return { type: "setting", operation, name: setting, value: more.value ?? "" };
  }
  const { isDirectory = false, newPath = "" } = more;
  return { type: "file", operation, path, newPath, isDirectory, inode: 0n };
}

/** What a call on a descriptor does, whose file the policy follows. */
export function descriptorDeed(operation: "read" | "write", { args }: Call): Deed | undefined {
  const file = firstOf(args, "file_arg", "path_arg");
  const path = file && pathOf(file);
  return path === undefined ? undefined : doneTo(path, operation, { value: bytesText(args) });
}

/** One of which only the end is known starts with an ellipsis, as the sensor has it. */
function pathOf(file: Json): string | undefined {
  const path = textAt(file["path"]);
  if (path === "") return undefined;
  return hasMark(file["flags"], "unresolvedPathComponents") ? `…${path}` : path;
}

/**
 * include/linux/fs.h: MAY_EXEC 1, MAY_WRITE 2, MAY_READ 4, MAY_APPEND 8. include/uapi/linux/mman.h: PROT_READ 1,
 * PROT_WRITE 2; what is written to a mapping reaches the file only with MAP_SHARED, 1.
 */
function operationOf(way: Way, [value, flags = 0]: readonly number[]): Operation | undefined {
  if (way === "not told") return undefined;
  if (way !== "mask" && way !== "protection") return way;
  if (value === undefined) return undefined;
  if (way === "protection") {
    if ((value & 2) !== 0 && (flags & 1) !== 0) return "write";
    return (value & 1) === 0 ? undefined : "read";
  }
  if ((value & (2 | 8)) !== 0) return "write";
  if ((value & 4) !== 0) return "read";
  return (value & 1) === 0 ? undefined : "execute";
}
