import type { AgentRecord, RuleText } from "@bulwark/model";

/** Rules whose last text is remembered as told; more are told again. */
const remembered = 5000;
const [longestText, longestFile] = [8192, 512];

/** Has the server know the text of a rule that raises an alert, once for each text: rules of the user's own are here alone. */
export class RuleTexts {
  readonly #node: string;
  readonly #textOf: (rule: string) => RuleText | undefined;
  readonly #told = new Map<string, string>();
  #since = Date.now();

  constructor(node: string, textOf: (rule: string) => RuleText | undefined) {
    this.#node = node;
    this.#textOf = textOf;
  }

  /** Other rules run from now on. */
  changed(): void {
    this.#since = Date.now();
  }

  /** The same records, before each alert the rule that raised it where its text is news. */
  with(records: readonly AgentRecord[]): AgentRecord[] {
    return records.flatMap((record) =>
      record.type === "alert" ? [...this.#news(record.alert.rule), record] : [record],
    );
  }

  #news(rule: string): AgentRecord[] {
    const found = this.#textOf(rule);
    if (!found || this.#told.get(rule) === found.text) return [];
    if (this.#told.size >= remembered) this.#told.clear();
    this.#told.set(rule, found.text);
    const text = found.text.length > longestText ? `${found.text.slice(0, longestText - 1)}…` : found.text;
    const { line } = found;
    const told = { node: this.#node, rule, file: found.file.slice(-longestFile), line, text, since: this.#since };
    return [{ type: "rule", rule: told }];
  }
}
