/** What a rule file says from the line of a rule to the next item of the list. */
export function ruleTextAt(text: string, line: number): string {
  const own = text.split("\n").slice(line - 1);
  const indent = indentOf(own[0] ?? "");
  const end = own.findIndex((other, index) => index > 0 && other.trim() !== "" && indentOf(other) <= indent);
  return own
    .slice(0, end < 0 ? undefined : end)
    .join("\n")
    .trimEnd();
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
