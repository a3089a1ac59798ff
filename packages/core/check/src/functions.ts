import { define, type Overload } from "@bulwark/cel";

/** What checks may use besides CEL as Kubernetes has it. */
export const checkFunctions: readonly Overload[] = [
  /** `'640'.within('644')`: no bit of a mode as chmod(1) writes it is beyond those of another. */
  define("(string).within(string): bool", (mode: string, limit: string) => {
    return (parseInt(mode, 8) & ~parseInt(limit, 8)) === 0 && /^[0-7]+$/.test(mode);
  }),
];
