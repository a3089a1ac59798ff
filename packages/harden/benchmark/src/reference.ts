import { clausesOf } from "./export.ts";
import type { Catalogue, CheckInfo, SetInfo } from "./catalogue.ts";

/** Every check by set and number, as Markdown. */
export function checksReference(catalogue: Catalogue): string {
  const parts = catalogue.sets.map((set) => setPart(catalogue, set));
  return `# Checks\n\nEvery check of hosts and clusters; written by \`scripts/checks-reference.ts\`, not by hand.\n\n${parts.join("\n")}`;
}

function setPart(catalogue: Catalogue, set: SetInfo): string {
  const checks = catalogue.checks[set.of]
    .filter((check) => set.id in check.in)
    .toSorted((a, b) => (a.in[set.id] ?? "").localeCompare(b.in[set.id] ?? "", "en", { numeric: true }));
  const rows = checks.map((check) => row(catalogue, set, check));
  const head =
    "| number | check | severity | level | answers | mends itself | clauses |\n| --- | --- | --- | --- | --- | --- | --- |";
  return `## ${set.title} ${set.version}\n\n\`${set.id}\`, ${checks.length} checks of a ${set.of}. ${set.about}\n\n${head}\n${rows.join("\n")}\n`;
}

function row(catalogue: Catalogue, set: SetInfo, check: CheckInfo): string {
  const { id, title, severity, level, answers, fix } = check;
  const clauses = Object.entries(clausesOf(catalogue, check)).map(([name, list]) => `${name}: ${list.join(", ")}`);
  const cells = [
    check.in[set.id],
    `${title} (\`${id}\`)`,
    severity,
    level,
    answers,
    fix.length > 0 ? "yes" : "",
    clauses.join("; "),
  ];
  return `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}
