import type { Block, Call, Comprehension, Expr, Message, Select } from "./ast.ts";
import { candidates, type Environment, type MessageType, type Overload } from "./environment.ts";
import { CelError } from "./errors.ts";
import { qualifiedName } from "./parser.ts";
import {
  assign,
  boolType,
  dynType,
  formatType,
  intType,
  isOptional,
  listType,
  mapType,
  mostGeneral,
  optionalType,
  paramType,
  sameType,
  substitute,
  type Type,
} from "./types.ts";
import { typeOf, type Value } from "./values.ts";

/** What a name or a call turned out to be. Variables of macros are not here: the compiler knows them by their scope. */
type Reference =
  | { readonly kind: "constant"; readonly value: Value }
  | { readonly kind: "function"; readonly overloads: readonly Overload[]; readonly withTarget: boolean }
  | { readonly kind: "local" }
  | { readonly kind: "message"; readonly message: MessageType }
  | { readonly kind: "variable"; readonly name: string };

export interface Checked {
  readonly type: Type;
  readonly typeOf: (expr: Expr) => Type;
  readonly references: ReadonlyMap<Expr, Reference>;
}

/**
 * Finds the types of an expression and what its names mean, as cel-go's checker does. Raises a `CelError` (`type`).
 * With `lenient`, what has no type is `dyn` and is left to run time; names are still resolved.
 */
export function check(expr: Expr, environment: Environment, { lenient = false } = {}): Checked {
  const checker = new Checker(environment, lenient);
  const type = checker.check(expr);
  return {
    type: checker.final(type),
    typeOf: (node) => checker.final(checker.types.get(node) ?? dynType),
    references: checker.references,
  };
}

class Checker {
  readonly types = new Map<Expr, Type>();
  readonly references = new Map<Expr, Reference>();
  readonly #environment: Environment;
  readonly #lenient: boolean;
  #mapping: ReadonlyMap<string, Type> = new Map();
  #scopes: ReadonlyMap<string, Type>[] = [];
  #params = 0;
  #homogeneous: boolean;

  constructor(environment: Environment, lenient: boolean) {
    this.#environment = environment;
    this.#lenient = lenient;
    this.#homogeneous = environment.homogeneous;
  }

  final(type: Type): Type {
    return substitute(this.#mapping, type, true);
  }

  check(expr: Expr): Type {
    const type = this.#check(expr);
    this.types.set(expr, type);
    return type;
  }

  #check(expr: Expr): Type {
    switch (expr.kind) {
      case "literal":
        return typeOf(expr.value);
      case "ident":
        return this.#name(expr, expr.name) ?? this.#fail(`undeclared reference to '${expr.name}'`, expr.offset);
      case "local":
        return this.#local(expr.name) ?? this.#fail(`undeclared reference to '${expr.name}'`, expr.offset);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return listType(this.#elements(expr.elements, (index) => expr.optional.has(index)));
      case "map": {
        const optional = (index: number): boolean => expr.entries[index]?.optional ?? false;
        const keys = this.#elements(expr.entries.map((entry) => entry.key));
        return mapType(
          keys,
          this.#elements(
            expr.entries.map((entry) => entry.value),
            optional,
          ),
        );
      }
      case "message":
        return this.#message(expr);
      case "comprehension":
        return this.#comprehension(expr);
      case "bind": {
        let type = this.check(expr.value);
        if (expr.optional) type = this.#unwrap(type, expr.value);
        const body = this.#within({ [expr.name]: type }, () => this.check(expr.body));
        return expr.optional === "map" ? optionalType(body) : body;
      }
      case "block":
        return this.#block(expr);
    }
  }

  /** A name as a whole: of a macro's variable, a variable, or a type. */
  #name(expr: Expr, name: string): Type | undefined {
    const local = name.startsWith(".") ? undefined : this.#local(name);
    if (local) {
      this.references.set(expr, { kind: "local" });
      return local;
    }
    for (const candidate of candidates(this.#environment.container, name)) {
      const variable = this.#environment.variables.get(candidate);
      if (variable) {
        this.references.set(expr, { kind: "variable", name: candidate });
        return variable;
      }
      const constant = this.#environment.constants.get(candidate);
      if (constant) {
        this.references.set(expr, { kind: "constant", value: constant.value });
        return constant.type;
      }
    }
    return undefined;
  }

  #local(name: string): Type | undefined {
    for (let index = this.#scopes.length - 1; index >= 0; index--) {
      const type = this.#scopes[index]?.get(name);
      if (type) return type;
    }
    return undefined;
  }

  #select(expr: Select): Type {
    const qualified = qualifiedName(expr);
    const root = qualified?.split(".")[0] ?? "";
    if (qualified !== undefined && (root === "" || this.#local(root) === undefined)) {
      const type = this.#name(expr, qualified);
      if (type) return type;
    }
    const operand = this.#resolved(this.check(expr.operand));
    const inner = isOptional(operand) ? this.#resolved(operand.params[0] ?? dynType) : operand;
    const field = this.#field(inner, expr);
    if (expr.test) return boolType;
    if (!expr.optional && !isOptional(operand)) return field;
    return isOptional(this.#resolved(field)) ? field : optionalType(field);
  }

  #field(type: Type, { field, offset }: Select): Type {
    switch (type.kind) {
      case "map":
        return type.params[1] ?? dynType;
      case "object": {
        if (!type.fields) return dynType;
        const known = Object.hasOwn(type.fields, field) ? type.fields[field] : undefined;
        return known ?? this.#fail(`undefined field '${field}' of ${type.name}`, offset);
      }
      case "param":
        this.#assign(type, dynType);
        return dynType;
      case "dyn":
      case "any":
        return dynType;
      default:
        return this.#fail(`a ${formatType(this.final(type))} has no fields, so no '${field}'`, offset);
    }
  }

  #call(expr: Call): Type {
    const { functions } = this.#environment;
    if (expr.target) {
      const namespace = qualifiedName(expr.target);
      const root = namespace?.split(".")[0] ?? "";
      if (namespace !== undefined && this.#local(root) === undefined) {
        for (const candidate of candidates(this.#environment.container, `${namespace}.${expr.name}`)) {
          const overloads = functions.get(candidate)?.filter((overload) => !overload.member);
          if (overloads?.length) return this.#overloads(expr, candidate, overloads, expr.args, false);
        }
      }
      const overloads = functions.get(expr.name)?.filter((overload) => overload.member) ?? [];
      return this.#overloads(expr, expr.name, overloads, [expr.target, ...expr.args], true);
    }
    const special = this.#operator(expr);
    if (special) return special;
    for (const candidate of candidates(this.#environment.container, expr.name)) {
      const overloads = functions.get(candidate)?.filter((overload) => !overload.member);
      if (overloads?.length) return this.#overloads(expr, candidate, overloads, expr.args, false);
    }
    return this.#overloads(expr, expr.name, [], expr.args, false);
  }

  /** Operators that are no functions: they do not evaluate all of their operands. */
  #operator({ name, args, offset }: Call): Type | undefined {
    if (name === "_&&_" || name === "_||_") {
      for (const arg of args) {
        const type = this.check(arg);
        if (!this.#assign(type, boolType)) this.#fail(this.#noOverload(name, [type]), arg.offset);
      }
      return boolType;
    }
    const [condition, then, otherwise] = args;
    if (name !== "_?_:_" || !condition || !then || !otherwise) return undefined;
    const type = this.check(condition);
    if (!this.#assign(type, boolType)) this.#fail(this.#noOverload(name, [type]), offset);
    const [left, right] = [this.check(then), this.check(otherwise)];
    const param = this.#fresh();
    if (!this.#assign(left, param) || !this.#assign(right, param)) {
      if (!this.#lenient) this.#fail(this.#noOverload(name, [type, left, right]), offset);
      return dynType;
    }
    return substitute(this.#mapping, param);
  }

  #overloads(expr: Call, name: string, overloads: readonly Overload[], args: readonly Expr[], member: boolean): Type {
    const types = this.#arguments(name, args, member);
    const found: Overload[] = [];
    let result: Type | undefined;
    for (const overload of overloads) {
      if (overload.args.length !== types.length) continue;
      const [declared, returned] = this.#instantiate(overload);
      const mapping = assign(this.#mapping, types, declared);
      if (!mapping && !this.#lenient) continue;
      if (mapping) this.#mapping = mapping;
      found.push(overload);
      const type = substitute(this.#mapping, returned);
      if (!result) result = type;
      else if (result.kind !== "dyn" && !sameType(result, type)) result = dynType;
    }
    if (overloads.length === 0) this.#fail(`undeclared reference to the function '${name}'`, expr.offset);
    if (!result) {
      if (!this.#lenient) this.#fail(this.#noOverload(name, types, member), expr.offset);
      result = dynType;
    }
    this.references.set(expr, { kind: "function", overloads: found, withTarget: member });
    return this.#lenient ? dynType : result;
  }

  /** The values of `format` are of any types. */
  #arguments(name: string, args: readonly Expr[], member: boolean): Type[] {
    const homogeneous = this.#homogeneous;
    if (member && name === "format") this.#homogeneous = false;
    const types = args.map((arg) => this.check(arg));
    this.#homogeneous = homogeneous;
    return types;
  }

  /** The overload's types with parameters of its own for this call. */
  #instantiate({ args, result }: Overload): [Type[], Type] {
    const own = new Map<string, Type>();
    const rename = (type: Type): Type => {
      if (type.kind === "param") {
        const known = own.get(type.name) ?? this.#fresh();
        own.set(type.name, known);
        return known;
      }
      return type.params.length === 0 ? type : { ...type, params: type.params.map(rename) };
    };
    return [args.map(rename), rename(result)];
  }

  /** The type that all of them have; of mixed ones `dyn`, where those are allowed. */
  #elements(elements: readonly Expr[], optional: (index: number) => boolean = () => false): Type {
    let joined: Type | undefined;
    for (const [index, element] of elements.entries()) {
      let type = this.check(element);
      if (optional(index)) type = this.#unwrap(type, element);
      if (!joined) joined = type;
      else if (this.#assign(type, joined)) joined = mostGeneral(joined, type);
      else if (this.#homogeneous) {
        const [wanted, given] = [formatType(this.final(joined)), formatType(this.final(type))];
        this.#fail(`expected type '${wanted}' but found '${given}'`, element.offset);
      } else joined = dynType;
    }
    return joined ?? this.#fresh();
  }

  #unwrap(type: Type, expr: Expr): Type {
    const resolved = this.#resolved(type);
    if (isOptional(resolved)) return resolved.params[0] ?? dynType;
    if (resolved.kind === "dyn") return dynType;
    return this.#fail(`expected an optional but found '${formatType(this.final(type))}'`, expr.offset);
  }

  #message(expr: Message): Type {
    const message = candidates(this.#environment.container, expr.name)
      .map((name) => this.#environment.messages.get(name))
      .find((found) => found !== undefined);
    if (!message) {
      for (const field of expr.fields) this.check(field.value);
      // Even leniently: there is nothing that could be made.
      throw new CelError("type", `undeclared reference to the message '${expr.name}'`, expr.offset);
    }
    this.references.set(expr, { kind: "message", message });
    for (const field of expr.fields) {
      let type = this.check(field.value);
      if (field.optional) type = this.#unwrap(type, field.value);
      const { fields } = message;
      if (!fields) continue;
      const wanted = Object.hasOwn(fields, field.name) ? fields[field.name] : undefined;
      if (!wanted) this.#fail(`undefined field '${field.name}' of ${message.name}`, field.offset);
      else if (!this.#assign(type, wanted)) {
        const text = `field '${field.name}' is ${formatType(wanted)}, not ${formatType(this.final(type))}`;
        this.#fail(text, field.offset);
      }
    }
    return message.type;
  }

  #comprehension(expr: Comprehension): Type {
    const range = this.#resolved(this.check(expr.range));
    const [first, second] = expr.variables;
    const [key, value] = this.#rangeOf(range, expr);
    const variables: Record<string, Type> = {};
    if (first !== undefined) variables[first] = second === undefined && range.kind !== "map" ? value : key;
    if (second !== undefined) variables[second] = value;
    return this.#within(variables, () => {
      if (expr.filter) this.#predicate(expr.filter);
      const element = variables[first ?? ""] ?? dynType;
      switch (expr.macro) {
        case "all":
        case "exists":
        case "existsOne":
          this.#predicate(expr.body);
          return boolType;
        case "filter":
          this.#predicate(expr.body);
          return listType(element);
        case "map":
        case "transformList":
          return listType(this.check(expr.body));
        case "sortBy":
          this.check(expr.body);
          return listType(element);
        case "transformMap":
          return mapType(key, this.check(expr.body));
        case "transformMapEntry": {
          const type = this.#resolved(this.check(expr.body));
          if (type.kind === "map" || type.kind === "dyn") return type;
          return this.#fail(`expected a map of one entry but found '${formatType(this.final(type))}'`, expr.offset);
        }
      }
    });
  }

  #rangeOf(type: Type, expr: Comprehension): [key: Type, value: Type] {
    switch (type.kind) {
      case "list":
        return [intType, type.params[0] ?? dynType];
      case "map":
        return [type.params[0] ?? dynType, type.params[1] ?? dynType];
      case "param":
        this.#assign(type, dynType);
        return [dynType, dynType];
      case "dyn":
      case "any":
        return [dynType, dynType];
      default: {
        const text = `a ${formatType(this.final(type))} cannot be gone through: it is neither a list nor a map`;
        this.#fail(text, expr.range.offset);
        return [dynType, dynType];
      }
    }
  }

  #predicate(expr: Expr): void {
    const type = this.check(expr);
    if (!this.#assign(type, boolType)) {
      this.#fail(`expected type 'bool' but found '${formatType(this.final(type))}'`, expr.offset);
    }
  }

  #block({ values, body }: Block): Type {
    const scope = new Map<string, Type>();
    this.#scopes.push(scope);
    for (const [index, value] of values.entries()) scope.set(`@index${index}`, this.check(value));
    const type = this.check(body);
    this.#scopes.pop();
    return type;
  }

  #within<T>(variables: Record<string, Type>, run: () => T): T {
    this.#scopes.push(new Map(Object.entries(variables)));
    const result = run();
    this.#scopes.pop();
    return result;
  }

  #resolved(type: Type): Type {
    return substitute(this.#mapping, type);
  }

  #fresh(): Type {
    return paramType(`@${this.#params++}`);
  }

  #assign(from: Type, to: Type): boolean {
    const mapping = assign(this.#mapping, [from], [to]);
    if (mapping) this.#mapping = mapping;
    return mapping !== undefined;
  }

  #noOverload(name: string, types: readonly Type[], member = false): string {
    const names = types.map((type) => formatType(this.final(type)));
    const text = member ? `${names[0]}.(${names.slice(1).join(", ")})` : `(${names.join(", ")})`;
    return `found no matching overload for '${name}' applied to '${text}'`;
  }

  #fail(message: string, offset: number): Type {
    if (this.#lenient) return dynType;
    throw new CelError("type", message, offset);
  }
}
