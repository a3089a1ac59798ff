import { CelError } from "@bulwark/cel";

/** What was collected, as plain data. */
export interface Facts {
  /** By the names that checks use. */
  values: Readonly<Record<string, unknown>>;
  /**
   * What could not be looked at, by its path (`sshd.settings`, `files[/etc/shadow].mode`), and why. A check that asks for
   * it is `unknown`.
   */
  missing?: Readonly<Record<string, string>>;
}

/** Variables for an expression. Reading what is missing raises its reason, also through `has`. */
export function variablesOf({ values, missing = {} }: Facts): Record<string, unknown> {
  const variables: Record<string, unknown> = { ...values };
  // The facts themselves stay as they are: what something is hidden in is copied, once.
  const copies = new WeakSet<object>();
  for (const [path, reason] of Object.entries(missing)) hide(variables, stepsOf(path), path, reason, copies);
  return variables;
}

/** A step in brackets is a name as it is, with its dots. */
function stepsOf(path: string): string[] {
  return [...path.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([step, name]) => name ?? step);
}

function hide(
  target: Record<string, unknown>,
  [name, ...rest]: string[],
  path: string,
  reason: string,
  copies: WeakSet<object>,
): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    Object.defineProperty(target, name, {
      enumerable: true,
      configurable: true,
      get() {
        throw new CelError("evaluation", `${path}: ${reason}`);
      },
    });
    return;
  }
  // A path below what is itself missing adds nothing.
  if (Object.getOwnPropertyDescriptor(target, name)?.get) return;
  const value = target[name];
  const inner = isPlain(value) ? (copies.has(value) ? value : { ...value }) : {};
  copies.add(inner);
  Object.defineProperty(target, name, { value: inner, enumerable: true, configurable: true, writable: true });
  hide(inner, rest, path, reason, copies);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
