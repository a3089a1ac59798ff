import { isScalar, type Node } from "yaml";
import type { Problem } from "../problem.ts";
import type { Item } from "./item.ts";

/** Which keys of an entry change one that is there before. */
export interface Overrides {
  readonly append: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
  readonly isAny: boolean;
  /** Said by `append: true`, as it was before overrides. */
  readonly isLegacy: boolean;
}

/** `override: {condition: append, priority: replace}`, or the old `append: true`. */
export function overridesOf(
  item: Item,
  known: { append: readonly string[]; replace: readonly string[] },
  legacy: readonly string[],
  tell: (problem: Problem) => void,
): Overrides {
  const isLegacy = item.boolean("append") ?? false;
  const override = item.map("override");
  if (isLegacy && override) {
    throw item.error(item.value("append"), "both append and override", "leave append out", "LOAD_ERR_VALIDATE");
  }
  if (isLegacy) {
    const remedy = `write override: {${legacy[0]}: append}`;
    const offset = item.value("append")?.range?.[0] ?? item.offset;
    tell(item.problem(offset, "LOAD_DEPRECATED_ITEM", "append: true is the old way", remedy));
    return { append: new Set(legacy), replace: new Set(), isAny: true, isLegacy };
  }
  const append = new Set<string>();
  const replace = new Set<string>();
  for (const { name, offset } of override?.keys() ?? []) {
    const how = override?.value(name);
    const told: unknown = isScalar(how) ? how.value : undefined;
    const can = [known.append.includes(name) && "append", known.replace.includes(name) && "replace"].filter(Boolean);
    if (told !== "append" && told !== "replace") {
      throw item.error(how, `override ${name}: neither append nor replace`, can.join(" or ") || "leave it out");
    }
    if (!can.includes(told)) {
      const remedy = can.length > 0 ? `write ${name}: ${can.join(" or ")}` : "define the entry anew";
      throw item.error({ range: [offset, offset, offset] } as Node, `${name} cannot be ${past[told]}`, remedy);
    }
    if (!item.has(name)) {
      const remedy = `write ${name}: … in the entry, or take it out of override`;
      throw item.error(
        { range: [offset, offset, offset] } as Node,
        `override names ${name}, which is not there`,
        remedy,
      );
    }
    (told === "append" ? append : replace).add(name);
  }
  const isAny = append.size + replace.size > 0;
  if (isAny) refuseOthers(item, append, replace);
  return { append, replace, isAny, isLegacy: false };
}

const past = { append: "appended to", replace: "replaced" };

/** With overrides, every other key would be without effect. */
function refuseOthers(item: Item, append: ReadonlySet<string>, replace: ReadonlySet<string>): void {
  for (const { name, offset } of item.keys()) {
    if (names.has(name) || append.has(name) || replace.has(name)) continue;
    const message = `${name} is there, but override does not name it`;
    throw item.error(
      { range: [offset, offset, offset] } as Node,
      message,
      `add ${name}: append or replace to override`,
    );
  }
}

const names = new Set(["rule", "macro", "list", "override", "append"]);
