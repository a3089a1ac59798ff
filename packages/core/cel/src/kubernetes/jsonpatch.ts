/** `jsonpatch.escapeKey`: a key as a part of a JSON pointer (RFC 6901). */
import { define, type Overload } from "../environment.ts";
import { traversal } from "../libraries/standard.ts";

export const kubernetesJsonPatch: readonly Overload[] = [
  define(
    "jsonpatch.escapeKey(string): string",
    (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1"),
    traversal,
  ),
];
