import { styleText } from "node:util";
import {
  decisionText,
  policyName,
  portSetText,
  type Connection,
  type ConnectionQuery,
  type ConnectionVerdict,
  type Decision,
  type Difference,
  type EndGroup,
  type Evaluator,
  type Explanation,
  type Finding,
  type SideExplanation,
} from "@bulwark/netpol";
import { stringify } from "yaml";
import { fit, printable } from "../local/text.ts";

const width = 78;

export function verdictText({ from, to, port, protocol = "TCP" }: ConnectionQuery, verdict: ConnectionVerdict): string {
  const { allowed, egress, ingress } = verdict;
  const head = `${mark(allowed)}  ${printable(from)} → ${printable(to)}  ${protocol} ${port}`;
  return `${head}\n${sideLine("egress", egress)}${sideLine("ingress", ingress)}`;
}

function mark(allowed: boolean): string {
  return allowed ? styleText("green", "allowed") : styleText("red", "denied ");
}

function sideLine(direction: string, decision: Decision): string {
  const source = decision.policy?.source;
  const where = source === null || source === undefined ? "" : ` (${source})`;
  return wrap(`  ${direction.padEnd(8)} `, decisionText(decision) + where);
}

/** Broken between words, the following lines under the first word. */
function wrap(head: string, text: string): string {
  const lines: string[] = [];
  let line = head;
  for (const word of printable(text).split(" ")) {
    if (line.length + word.length > width && line.trim() !== "" && line !== head) {
      lines.push(line.trimEnd());
      line = " ".repeat(head.length);
    }
    line += `${word} `;
  }
  return `${[...lines, line.trimEnd()].join("\n")}\n`;
}

/** Pods by the first of them, addresses by the first of them; `outside` where that is all of the world. */
function groupText({ pods, addresses }: EndGroup): string {
  const names = pods.length > 0 ? pods : addresses;
  if (addresses.includes("0.0.0.0/0") && addresses.includes("::/0")) return "outside";
  const [first = ""] = names;
  return names.length > 1 ? `${first} +${names.length - 1}` : first;
}

/** Of a table; nobody reads more. */
const mostLines = 5000;

export function connectionLines({ cluster }: Evaluator, open: readonly Connection[]): string {
  const { pods, policies } = cluster;
  const counted = `${pods.length} ${pods.length === 1 ? "pod" : "pods"}, ${policies.length} ${policies.length === 1 ? "policy" : "policies"}`;
  const lines = open.slice(0, mostLines).map(line);
  if (open.length > mostLines) lines.push(`… and ${open.length - mostLines} more; --format json has all\n`);
  return `${styleText("bold", counted)}\n${lines.length === 0 ? "no connection is open\n" : lines.join("")}`;
}

function line({ from, to, ports }: Connection): string {
  const head = `${fit(groupText(from), 26)} → ${fit(groupText(to), 26)} `;
  return wrap(head, portSetText(ports));
}

const most = 200;

export function differenceText({ opened, closed, added, removed }: Difference): string {
  const section = (title: string, list: readonly Connection[]): string => {
    if (list.length === 0) return "";
    const more = list.length > most ? `… and ${list.length - most} more; --format json has all\n` : "";
    return `${title}\n${list.slice(0, most).map(line).join("")}${more}`;
  };
  const pods = (title: string, names: readonly string[]): string =>
    names.length === 0 ? "" : wrap(`${title} `, names.slice(0, 20).join(", ") + (names.length > 20 ? " …" : ""));
  const text =
    section(styleText("red", "opens"), opened) +
    section(styleText("green", "closes"), closed) +
    pods("only after, not compared:", added) +
    pods("only before, not compared:", removed);
  return text === "" ? "no connection is opened or closed\n" : text;
}

export function explanationText({ query, verdict, egress, ingress, changes }: Explanation): string {
  const head = verdictText(query, verdict);
  const sides = sideRules("egress", egress) + sideRules("ingress", ingress);
  if (changes.length === 0) return `${head}${sides}`;
  const title = verdict.allowed ? "To deny it:" : "To allow it:";
  const steps = changes.map(({ text, add }, index) => {
    const yaml = add ? printableLines(stringify(add)).replaceAll(/^(?=.)/gm, "     ") : "";
    return wrap(`  ${index + 1}. `, text) + yaml;
  });
  return `${head}${sides}\n${title}\n${steps.join("")}`;
}

function sideRules(direction: string, { rules }: SideExplanation): string {
  if (rules.length === 0) return "";
  const shown = rules.filter(({ outcome }) => outcome !== "not reached");
  const rest = rules.length - shown.length;
  const lines = shown
    .slice(0, most)
    .map(({ policy, path, action, outcome }) =>
      wrap(`    ${outcome.padEnd(11)}`, `${policyName(policy)}, ${path} (${action})`),
    );
  return `\n  ${direction}, rule by rule\n${lines.join("")}${rest > 0 ? `    and ${rest} after the one that decided\n` : ""}`;
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

export function findingText(findings: readonly Finding[]): string {
  if (findings.length === 0) return "nothing found\n";
  const lines = findings.map(({ severity, code, object, path, message, source }) => {
    const colour = severity === "error" ? "red" : "yellow";
    const place = source === null ? object : `${source}: ${object}`;
    return `${styleText(colour, severity)} ${code}\n${wrap("  ", `${place}: ${path === "" ? "" : `${path}: `}${message}`)}`;
  });
  return `${lines.join("")}${findings.length} found\n`;
}
