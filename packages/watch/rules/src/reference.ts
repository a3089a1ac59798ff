import type { Rule } from "./ruleset.ts";

/** The reference page of rules (docs/rules.md): what each is about, what to look at, what to do. By file. */
export function rulesReference(rules: readonly Rule[]): string {
  const themes = Map.groupBy(rules, ({ file }) => themeOf(file));
  const parts = [
    "# Rules",
    "",
    `The ${rules.length} rules that come with Bulwark, in Falco's language (\`content/rules\`). This page is made of them by \`node scripts/node.mjs scripts/rules-reference.ts\`. Detections that need a memory are in the detectors, not here.`,
    "",
    "`bulwark rules test` runs the recorded events of every rule; `bulwark rules list` shows what is loaded.",
  ];
  for (const [theme, own] of themes) {
    parts.push("", `## ${theme}`);
    for (const rule of own) parts.push("", ...section(rule));
  }
  return `${parts.join("\n")}\n`;
}

function themeOf(file: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.ya?ml$/, "");
  return name.slice(0, 1).toUpperCase() + name.slice(1).replaceAll("-", " ");
}

function section(rule: Rule): string[] {
  const marks = [rule.severity, ...rule.techniques.map(technique), seen(rule)];
  if (!rule.isEnabled) marks.push("off unless switched on");
  return [
    `### ${rule.name}`,
    "",
    marks.join(" · "),
    "",
    plain(rule.description),
    ...line("Look at", rule.check),
    ...line("Do", rule.remedy),
  ];
}

function technique(id: string): string {
  const path = id.startsWith("TA") ? `tactics/${id}` : `techniques/${id.replace(".", "/")}`;
  return `[${id}](https://attack.mitre.org/${path}/)`;
}

function seen({ source, eventTypes }: Rule): string {
  return source === "syscall"
    ? (eventTypes ?? ["every event"]).map((type) => `\`${type}\``).join(" ")
    : "Kubernetes audit log";
}

function line(title: string, text: string): string[] {
  return text === "" ? [] : ["", `**${title}**: ${plain(text)}`];
}

/** No character of a text is Markdown's. */
function plain(text: string): string {
  return text.replaceAll(/[*_`<>[\]\\|]/g, String.raw`\$&`);
}
