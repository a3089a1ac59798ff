import { errorText } from "@bulwark/model/plain";
import { isMap } from "yaml";
import { problemAt, type Problem } from "../problem.ts";
import {
  priorities,
  type Definitions,
  type ExceptionDefinition,
  type ListDefinition,
  type MacroDefinition,
  type Priority,
  type RuleDefinition,
} from "./definitions.ts";
import { Item, ItemError, type Text } from "./item.ts";
import { priorityNamed } from "./marks.ts";
import { overridesOf, type Overrides } from "./overrides.ts";
import { readExceptions } from "./read-exceptions.ts";
import { checkEngineVersion, checkPluginVersions, type Plugins } from "./versions.ts";
import type { RuleFile } from "./yaml.ts";

/** Later files change what earlier ones said: the order is the user's. An item that is wrong is left out and told. */
export function collect(files: readonly RuleFile[], plugins: Plugins, tell: (problem: Problem) => void): Definitions {
  const collector = new Collector(plugins, tell);
  for (const file of files) {
    if (file.problem) tell(file.problem);
    for (const node of file.items) {
      if (isMap(node)) collector.take(new Item(file, node));
      else {
        const what = {
          item: "",
          message: "an entry that is no mapping",
          remedy: 'begin it with "- rule:" and the like',
        };
        tell(problemAt(file.origin(node.range?.[0] ?? 0), "LOAD_ERR_YAML_VALIDATE", what));
      }
    }
  }
  return collector.definitions;
}

class Collector {
  readonly definitions: Definitions = { lists: new Map(), macros: new Map(), rules: new Map() };
  readonly #plugins: Plugins;
  readonly #tell: (problem: Problem) => void;

  constructor(plugins: Plugins, tell: (problem: Problem) => void) {
    this.#plugins = plugins;
    this.#tell = tell;
  }

  take(item: Item): void {
    try {
      if (item.has("required_engine_version")) checkEngineVersion(item);
      else if (item.has("required_plugin_versions")) checkPluginVersions(item, this.#plugins);
      else if (item.has("list")) this.#list(item);
      else if (item.has("macro")) this.#macro(item);
      else if (item.has("rule")) this.#rule(item);
      else {
        const [first] = item.keys();
        const message = `an entry of an unknown kind${first ? `: ${first.name}` : ""}`;
        this.#warn(item, item.offset, "LOAD_UNKNOWN_ITEM", message, "it is passed over; known are rule, macro, list");
        return;
      }
      for (const { name, offset } of item.unasked()) {
        const remedy = "it is passed over; see that it is spelt right and stands in the right entry";
        this.#warn(item, offset, "LOAD_UNKNOWN_KEY", `unknown key ${name}`, remedy);
      }
    } catch (error) {
      if (!(error instanceof ItemError))
        throw new Error(`while reading ${item.title}: ${errorText(error)}`, { cause: error });
      this.#tell(error.problem);
    }
  }

  #warn(item: Item, offset: number, code: Problem["code"], message: string, remedy: string): void {
    this.#tell(item.problem(offset, code, message, remedy));
  }

  #list(item: Item): void {
    const name = item.needed("list", "name the list").text;
    item.title = `list "${name}"`;
    if (!/^[^()"'\s=,]+$/.test(name)) {
      throw item.error(item.value("list"), "a name that a condition cannot hold", "use letters, digits and _");
    }
    const items = item.texts("items");
    if (!items) throw item.error(item.node, 'without "items"', "write items: [a, b], or items: [] for none");
    const overrides = this.#overrides(item, { append: ["items"], replace: ["items"] });
    const known = this.definitions.lists.get(name);
    if (overrides.isAny && !known) throw this.#nothingBefore(item, "list");
    if (known && overrides.append.has("items")) known.items = [...known.items, ...items];
    else if (known && overrides.replace.has("items")) known.items = items;
    else this.definitions.lists.set(name, { name, item, items, isUsed: false } satisfies ListDefinition);
  }

  #macro(item: Item): void {
    const name = item.needed("macro", "name the macro").text;
    item.title = `macro "${name}"`;
    if (!/^[a-zA-Z]+[a-zA-Z0-9_]*$/.test(name)) {
      throw item.error(item.value("macro"), "a name that a condition cannot hold", "use letters, digits and _");
    }
    const condition = item.needed("condition", "say what the macro stands for");
    const overrides = this.#overrides(item, { append: ["condition"], replace: ["condition"] });
    const known = this.definitions.macros.get(name);
    if (overrides.isAny && !known) throw this.#nothingBefore(item, "macro");
    if (known && overrides.append.has("condition")) known.condition = [...known.condition, condition];
    else if (known && overrides.replace.has("condition")) known.condition = [condition];
    else
      this.definitions.macros.set(name, {
        name,
        item,
        condition: [condition],
        isUsed: false,
      } satisfies MacroDefinition);
  }

  #rule(item: Item): void {
    const name = item.needed("rule", "name the rule").text;
    item.title = `rule "${name}"`;
    const overrides = this.#overrides(item, ruleOverrides, ["condition", "exceptions"]);
    if (overrides.isAny) this.#changeRule(item, name, overrides);
    else if (["condition", "output", "desc", "priority"].some((key) => item.has(key))) this.#defineRule(item, name);
    else this.#switchRule(item, name);
  }

  #defineRule(item: Item, name: string): void {
    const condition = item.needed("condition", "say when it fires: condition: evt.type = execve and …");
    const output = item.needed("output", "say what an alert shows: output: … (command=%proc.cmdline)");
    const description = item.needed("desc", "say what it is for: desc: …");
    const rule: RuleDefinition = {
      name,
      item,
      source: item.text("source"),
      condition: [condition],
      output: [output],
      description: [description],
      priority: priorityOf(item, item.needed("priority", `one of ${priorities.join(", ")}`)),
      isEnabled: item.boolean("enabled") ?? true,
      tags: item.texts("tags")?.map(({ text }) => text) ?? [],
      exceptions: readExceptions(item, false),
      warnEventTypes: item.boolean("warn_evttypes") ?? true,
      skipIfUnknown: item.boolean("skip-if-unknown-filter") ?? false,
      capture: item.boolean("capture") ?? false,
      captureDuration: durationOf(item),
      extras: {
        severity: item.text("severity"),
        check: item.text("check")?.text.trim() ?? "",
        remedy: item.text("remedy")?.text.trim() ?? "",
      },
    };
    const known = this.definitions.rules.get(name);
    if (known && (known.source?.text ?? "syscall") !== (rule.source?.text ?? "syscall")) {
      const remedy = "name it differently, or give it the same source";
      throw item.error(
        item.value("source") ?? item.node,
        "it is defined anew with another source",
        remedy,
        "LOAD_ERR_VALIDATE",
      );
    }
    this.definitions.rules.set(name, rule);
  }

  /** `- rule: x` with only `enabled`: the old way to switch a rule on or off. */
  #switchRule(item: Item, name: string): void {
    const isEnabled = item.boolean("enabled");
    if (isEnabled === undefined) {
      throw item.error(item.node, "without condition, output, desc and priority", "write them, or an override");
    }
    const known = this.definitions.rules.get(name);
    if (!known) throw this.#nothingBefore(item, "rule");
    known.isEnabled = isEnabled;
    const remedy = "write enabled: … with override: {enabled: replace}";
    this.#warn(item, item.offset, "LOAD_DEPRECATED_ITEM", 'an entry with only "enabled"', remedy);
  }

  #changeRule(item: Item, name: string, { append, replace, isLegacy }: Overrides): void {
    const rule = this.definitions.rules.get(name);
    if (!rule) throw this.#nothingBefore(item, "rule");
    if (isLegacy && !item.has("condition") && !item.has("exceptions")) {
      throw item.error(
        item.node,
        "appends neither a condition nor exceptions",
        "write what is appended",
        "LOAD_ERR_VALIDATE",
      );
    }
    const needed = (key: string): Text => item.needed(key, `write ${key}: …, or take it out of override`);
    const joined = (key: string, before: readonly Text[]): readonly Text[] => {
      if (append.has(key) && (!isLegacy || item.has(key))) return [...before, needed(key)];
      return replace.has(key) ? [needed(key)] : before;
    };
    rule.condition = joined("condition", rule.condition);
    rule.output = joined("output", rule.output);
    rule.description = joined("desc", rule.description);
    const tags = (): string[] => item.texts("tags")?.map(({ text }) => text) ?? [];
    if (append.has("tags")) rule.tags = [...new Set([...rule.tags, ...tags()])];
    if (replace.has("tags")) rule.tags = tags();
    if (append.has("exceptions")) rule.exceptions = this.#appendExceptions(item, rule);
    if (replace.has("exceptions")) rule.exceptions = readExceptions(item, false);
    if (replace.has("priority")) rule.priority = priorityOf(item, needed("priority"));
    if (replace.has("enabled")) rule.isEnabled = item.boolean("enabled") ?? rule.isEnabled;
    if (replace.has("warn_evttypes")) rule.warnEventTypes = item.boolean("warn_evttypes") ?? rule.warnEventTypes;
    if (replace.has("skip-if-unknown-filter")) {
      rule.skipIfUnknown = item.boolean("skip-if-unknown-filter") ?? rule.skipIfUnknown;
    }
    if (replace.has("capture")) rule.capture = item.boolean("capture") ?? rule.capture;
    if (replace.has("capture_duration")) rule.captureDuration = durationOf(item);
  }

  #appendExceptions(item: Item, rule: RuleDefinition): ExceptionDefinition[] {
    const merged = rule.exceptions.map((exception) => ({ ...exception }));
    for (const added of readExceptions(item, true)) {
      const known = merged.find(({ name }) => name === added.name);
      if (added.values.length === 0) {
        const message = `exception ${added.name} has no values`;
        this.#warn(added.item, added.item.offset, "LOAD_APPEND_NO_VALUES", message, "give it values, or leave it out");
      }
      if (known && (added.fields !== undefined || added.comps !== undefined)) {
        const message = `exception ${added.name} is there already; only values can be appended to it`;
        throw added.item.error(added.item.node, message, "leave fields and comps out", "LOAD_ERR_VALIDATE");
      }
      if (!known && added.fields === undefined) {
        const message = `there is no exception ${added.name} whose fields it could take`;
        throw added.item.error(
          added.item.node,
          message,
          "give it fields, or the name of one that is there",
          "LOAD_ERR_VALIDATE",
        );
      }
      if (known) known.values = [...known.values, ...added.values];
      else merged.push(added);
    }
    return merged;
  }

  #overrides(item: Item, known: { append: string[]; replace: string[] }, legacy = known.append): Overrides {
    return overridesOf(item, known, legacy, (problem) => this.#tell(problem));
  }

  #nothingBefore(item: Item, kind: string): ItemError {
    const remedy = `load the file that defines the ${kind} first, or define it whole`;
    return item.error(item.node, `there is no such ${kind} before it to change`, remedy, "LOAD_ERR_VALIDATE");
  }
}

const ruleOverrides = {
  append: ["condition", "output", "desc", "tags", "exceptions"],
  replace: [
    ...["condition", "output", "desc", "tags", "exceptions", "priority", "enabled", "warn_evttypes"],
    ...["skip-if-unknown-filter", "capture", "capture_duration"],
  ],
};

function priorityOf(item: Item, { text }: Text): Priority {
  const found = priorityNamed(text);
  if (found) return found;
  throw item.error(item.value("priority"), `no such priority: ${text}`, `one of ${priorities.join(", ")}`);
}

function durationOf(item: Item): number | undefined {
  const told = item.text("capture_duration");
  if (told === undefined) return undefined;
  if (/^\d{1,9}$/.test(told.text)) return Number(told.text);
  throw item.error(item.value("capture_duration"), "no number of milliseconds", "write capture_duration: 5000");
}
