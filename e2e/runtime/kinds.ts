import { escapes } from "./escape.ts";
import { credentials, files } from "./file.ts";
import { names, networks } from "./network.ts";
import { processes } from "./process.ts";
import { reverseShells } from "./reverse-shell.ts";
import { systemCalls } from "./system-call.ts";
import type { Technique } from "./technique.ts";

/** All techniques, by what they are told as. */
export const kinds: Record<string, Technique[]> = {
  "ways out of a container": escapes,
  "reverse shells": reverseShells,
  programs: processes,
  files,
  credentials,
  connections: networks,
  "names asked for": names,
  "system calls": systemCalls,
};
