import { objectType, type MessageType } from "@bulwark/cel";

/**
 * Types that a mutation writes: `JSONPatch{op: …}`, and `Object{…}`, `Object.spec{…}`, whose names follow the fields. Any
 * field may be given: which ones there are, the API server's schema knows, and says when the object is written.
 */
export class MutationTypes extends Map<string, MessageType> {
  override get(name: string): MessageType | undefined {
    if (name !== "Object" && name !== "JSONPatch" && !name.startsWith("Object.")) return super.get(name);
    return { name, type: objectType(name) };
  }
  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}
