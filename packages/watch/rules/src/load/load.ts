import { severities } from "@bulwark/model/plain";
import { bind, type Names } from "../compile/bind.ts";
import { chain, negate, type Bound } from "../compile/bound.ts";
import { typesOf } from "../compile/types.ts";
import { sources, type Catalogue } from "../fields/catalogue.ts";
import type { Source } from "../language/ast.ts";
import { ConditionError } from "../language/error.ts";
import { parseCondition } from "../language/parser.ts";
import { problemAt, type Problem } from "../problem.ts";
import type { Rule, Ruleset } from "../ruleset.ts";
import { collect } from "./collect.ts";
import type { Definitions, RuleDefinition } from "./definitions.ts";
import { exceptionExpr } from "./exceptions.ts";
import { ItemError, type Item } from "./item.ts";
import { ruleIdOf, severityOf, techniquesOf } from "./marks.ts";
import { joined, NameTable } from "./names.ts";
import { parseOutput } from "./output.ts";
import { builtInPlugins } from "./versions.ts";
import { RuleFile, type RuleDocument } from "./yaml.ts";

export interface Loaded {
  /** The rules that are sound; those that are not enabled are among them. */
  readonly ruleset: Ruleset;
  /** What is wrong, where, and how to mend it. The rules that an error is about are not in the set. */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads rule files in their order, as Falco does: later ones may change what earlier ones define. Raises nothing for what
 * is in them.
 *
 *     const { ruleset, errors } = loadRules([{ name: "my.yaml", text }]);
 */
export function loadRules(documents: readonly RuleDocument[]): Loaded {
  const problems: Problem[] = [];
  const tell = (problem: Problem): void => void problems.push(problem);
  const files = documents.map((document) => new RuleFile(document));
  const definitions = collect(files, builtInPlugins, tell);
  const loader = new Loader(definitions, tell);
  const rules = [...definitions.rules.values()].map((rule) => loader.rule(rule)).filter((rule) => rule !== undefined);
  loader.tellUnused();
  const of = (severity: Problem["severity"]): Problem[] => problems.filter((problem) => problem.severity === severity);
  return { ruleset: Object.freeze({ rules: Object.freeze(rules) }), errors: of("error"), warnings: of("warning") };
}

class Loader {
  readonly #definitions: Definitions;
  readonly #names: NameTable;
  readonly #tell: (problem: Problem) => void;
  readonly #ids = new Set<string>();
  readonly #bound = new Map<Catalogue, Map<string, Bound>>();

  constructor(definitions: Definitions, tell: (problem: Problem) => void) {
    this.#definitions = definitions;
    this.#names = new NameTable(definitions);
    this.#tell = tell;
  }

  rule(definition: RuleDefinition): Rule | undefined {
    const { item } = definition;
    const source = definition.source?.text ?? "syscall";
    const fields = sources.get(source);
    if (!fields) {
      const remedy = `known are ${[...sources.keys()].join(" and ")}; the rule is passed over`;
      const offset = item.value("source")?.range?.[0] ?? item.offset;
      this.#tell(item.problem(offset, "LOAD_UNKNOWN_SOURCE", `unknown source ${source}`, remedy));
      return undefined;
    }
    try {
      return this.#compile(definition, source, fields);
    } catch (error) {
      if (error instanceof ItemError) this.#tell(error.problem);
      else if (error instanceof ConditionError) this.#tellCondition(definition, error);
      else throw error;
      return undefined;
    }
  }

  #compile(definition: RuleDefinition, source: string, fields: Catalogue): Rule {
    const { item, name, extras } = definition;
    const names = this.#namesFor(fields, item);
    const text = joined(definition.condition);
    const condition = conditionOf(text, definition, names);
    const eventTypes = source === "syscall" ? typesOf(condition) : undefined;
    if (source === "syscall" && eventTypes === undefined && definition.warnEventTypes) {
      const remedy = "add evt.type in (…), or warn_evttypes: false";
      const message = "the rule looks at events of every type";
      this.#tell(problemAt(text.origin(0), "LOAD_NO_EVTTYPE", { message, remedy, item: item.title }));
    }
    const output = joined(definition.output);
    const place = item.problem(item.offset, "LOAD_UNKNOWN_ITEM", "", "");
    return Object.freeze({
      name,
      id: this.#idOf(name),
      source,
      description: definition.description.map(({ text }) => text.trim()).join(" "),
      condition,
      output: outputOf(output, names, item),
      outputText: output.text.trim(),
      priority: definition.priority,
      ...marks(definition),
      tags: Object.freeze([...definition.tags]),
      check: extras.check,
      remedy: extras.remedy,
      isEnabled: definition.isEnabled,
      capture: definition.capture,
      captureDuration: definition.captureDuration,
      eventTypes,
      file: place.file,
      line: place.line,
    });
  }

  #namesFor(fields: Catalogue, item: Item): Names {
    const table = this.#names;
    const bound = this.#bound.get(fields) ?? new Map<string, Bound>();
    this.#bound.set(fields, bound);
    return {
      fields,
      bound,
      macro: (name, place) => table.macro(name, place),
      list: (name, place) => table.list(name, place),
      warn: (message, { source, offset }, remedy, code) =>
        this.#tell(problemAt(source.origin(offset), code, { message, remedy, item: item.title })),
    };
  }

  /** Names that differ only in what an id has no room for get a number. */
  #idOf(name: string): string {
    const base = ruleIdOf(name);
    let id = base;
    for (let count = 2; this.#ids.has(id); count++) id = `${base}-${count}`;
    this.#ids.add(id);
    return id;
  }

  #tellCondition({ item, skipIfUnknown }: RuleDefinition, error: ConditionError): void {
    const { source, offset } = error.place;
    const isForgiven = error.isUnknown && skipIfUnknown;
    const code = isForgiven ? "LOAD_UNKNOWN_FILTER" : "LOAD_ERR_COMPILE_CONDITION";
    const remedy = isForgiven
      ? `the rule is passed over, as it asks (skip-if-unknown-filter); ${error.remedy}`
      : error.remedy;
    this.#tell(problemAt(source.origin(offset), code, { message: error.message, remedy, item: item.title }));
  }

  /** Macros that no rule uses are still read: an error in one should not wait for its first use. */
  tellUnused(): void {
    for (const { name, isUsed, item, condition } of [...this.#definitions.macros.values()]) {
      if (isUsed) continue;
      this.#tell(item.problem(item.offset, "LOAD_UNUSED_MACRO", "no rule uses it", "use it, or take it out"));
      try {
        this.#names.macro(name, { source: joined(condition), offset: 0 });
      } catch (error) {
        if (!(error instanceof ConditionError)) throw error;
        const { message, remedy, place } = error;
        const origin = place.source.origin(place.offset);
        this.#tell(problemAt(origin, "LOAD_ERR_COMPILE_CONDITION", { message, remedy, item: item.title }));
      }
    }
    for (const { isUsed, item } of this.#definitions.lists.values()) {
      if (isUsed) continue;
      this.#tell(item.problem(item.offset, "LOAD_UNUSED_LIST", "nothing uses it", "use it, or take it out"));
    }
  }
}

/** The condition, and none of the exceptions. */
function conditionOf(text: Source, { exceptions }: RuleDefinition, names: Names): Bound {
  const condition = bind(parseCondition(text), names);
  const excepted = exceptions.map((exception) => exceptionExpr(exception)).filter((expr) => expr !== undefined);
  if (excepted.length === 0) return condition;
  return chain("and", [condition, ...excepted.map((expr) => negate(bind(expr, names)))]);
}

function outputOf(output: Source, names: Names, item: Item): Rule["output"] {
  try {
    return parseOutput(output, names);
  } catch (error) {
    if (!(error instanceof ConditionError) || error.isUnknown) throw error;
    const { place, message, remedy } = error;
    const origin = place.source.origin(place.offset);
    throw new ItemError(problemAt(origin, "LOAD_ERR_COMPILE_OUTPUT", { message, remedy, item: item.title }));
  }
}

function marks({ item, extras, priority, tags }: RuleDefinition): Pick<Rule, "severity" | "techniques" | "tactics"> {
  const told = extras.severity?.text.toLowerCase();
  const severity = told === undefined ? severityOf[priority] : severities.find((known) => known === told);
  if (!severity) {
    throw item.error(item.value("severity"), `no such severity: ${told}`, `one of ${severities.join(", ")}`);
  }
  const techniques = techniquesOf(tags);
  const tactics = tags.filter((tag) => tag.startsWith("mitre_")).map((tag) => tag.slice(6).replaceAll("_", " "));
  return { severity, techniques: Object.freeze(techniques), tactics: Object.freeze(tactics) };
}
