import { isSeq } from "yaml";
import type { ExceptionDefinition, ExceptionValue } from "./definitions.ts";
import type { Item, Text } from "./item.ts";

/** The exceptions of a rule. `isAppended`: fields may be absent, they are those of the exception of that name. */
export function readExceptions(item: Item, isAppended: boolean): ExceptionDefinition[] {
  const exceptions: ExceptionDefinition[] = [];
  for (const entry of item.maps("exceptions") ?? []) {
    const name = entry.needed("name", "give the exception a name: - name: …").text;
    if (exceptions.some((known) => known.name === name)) {
      throw entry.error(entry.node, `two exceptions are called ${name}`, "name each differently");
    }
    const fields = oneOrMany(entry, "fields");
    const comps = oneOrMany(entry, "comps");
    if (fields === undefined && !isAppended) {
      throw entry.error(entry.node, `exception ${name} has no fields`, "write fields: [proc.name, fd.name]");
    }
    exceptions.push({ name, item: entry, fields, comps, values: values(entry) });
  }
  return exceptions;
}

function oneOrMany(entry: Item, key: string): Text | Text[] | undefined {
  const node = entry.value(key);
  if (node === undefined) return undefined;
  return isSeq(node) ? entry.texts(key) : entry.text(key);
}

function values(entry: Item): ExceptionValue[] {
  const node = entry.value("values");
  if (node === undefined) return [];
  if (!isSeq(node)) throw entry.error(node, '"values" is no list', "write values: [[a, b], [c, d]]");
  return node.items.map((item) => {
    if (!isSeq(item)) return entry.scalar(item, "a value");
    return item.items.map((inner) => {
      if (!isSeq(inner)) return entry.scalar(inner, "a value");
      return inner.items.map((value) => entry.scalar(value, "a value"));
    });
  });
}
