import { CelError, compile, toJson, type Environment, type Value } from "@bulwark/cel";
import { errorText } from "@bulwark/model/plain";

/** A sentence with CEL in braces: `{item.image} has no digest`. */
export type Template = (variables: Readonly<Record<string, unknown>>) => string;

/** Raises a `CelError` for an expression that is none. What fails when it runs is said in its place. */
export function compileTemplate(text: string, environment: Environment): Template {
  // Odd parts are what the braces held.
  const parts = text.split(/\{([^{}]*)\}/).map((part, index) => {
    if (index % 2 === 0) return () => part;
    const program = compile(part, environment);
    return (variables: Readonly<Record<string, unknown>>): string => {
      try {
        return textOf(program.evaluate(variables));
      } catch (error) {
        if (error instanceof CelError) return `(not known: ${errorText(error)})`;
        throw error;
      }
    };
  });
  return (variables) => parts.map((part) => part(variables)).join("");
}

/** A value as a person reads it. */
export function textOf(value: Value): string {
  const json = toJson(value);
  if (Array.isArray(json))
    return json.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
  return typeof json === "string" ? json : JSON.stringify(json);
}
