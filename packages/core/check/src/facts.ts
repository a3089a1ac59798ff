import { CelError } from "@bulwark/cel";

/** What was collected, as plain data. */
export interface Facts {
  /** By the names that checks use. */
  values: Readonly<Record<string, unknown>>;
  /** What could not be looked at, by its path (`sshd.settings`), and why. A check that asks for it is `unknown`. */
  missing?: Readonly<Record<string, string>>;
}

/** Variables for an expression. Reading what is missing raises its reason, also through `has`. */
export function variablesOf({ values, missing = {} }: Facts): Record<string, unknown> {
  const variables: Record<string, unknown> = { ...values };
  for (const [path, reason] of Object.entries(missing)) hide(variables, path.split("."), path, reason);
  return variables;
}

function hide(target: Record<string, unknown>, [name, ...rest]: string[], path: string, reason: string): void {
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
  const inner = isPlain(value) ? Object.defineProperties({}, Object.getOwnPropertyDescriptors(value)) : {};
  Object.defineProperty(target, name, { value: inner, enumerable: true, configurable: true, writable: true });
  hide(inner, rest, path, reason);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
