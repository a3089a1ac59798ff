import type { Report } from "@bulwark/model";
import { printable } from "@bulwark/model/plain";
import { fixPlanOf, type FixStep } from "../fix-plan.ts";
import { cut, wrap } from "./lines.ts";

/** What to do, in order, with what is gone after each step. */
export function writeFixPlan(report: Report): string {
  const { steps, stays } = fixPlanOf(report);
  const parts = steps.map(stepText);
  if (steps.length === 0) parts.push("Nothing that a fix is known for.");
  if (stays.length > 0) parts.push(wrap(`Without a fix stay ${stays.length}: ${stays.join(", ")}`, ""));
  return `${parts.join("\n\n")}\n`;
}

const upgradesShown = 40;

function stepText({ title, command, upgrades, removes, worst, kind }: FixStep, index: number): string {
  const lines = [wrap(`${index + 1}. ${title}`, "")];
  if (command !== null) lines.push(`   ${printable(command)}`);
  if (kind === "dependency")
    lines.push(...(upgrades[0]?.locations ?? []).slice(0, 5).map((path) => cut(`   ${path}`, 80)));
  else {
    lines.push(...upgrades.slice(0, upgradesShown).map(({ name, from, to }) => cut(`   ${name} ${from} → ${to}`, 80)));
    if (upgrades.length > upgradesShown) lines.push(`   and ${upgrades.length - upgradesShown} more`);
  }
  return [...lines, wrap(`removes ${removes.length}, the worst ${worst}: ${removes.join(", ")}`, "   ")].join("\n");
}
