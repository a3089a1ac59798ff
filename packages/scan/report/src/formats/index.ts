import { ReportError } from "../error.ts";
import type { Format } from "./format.ts";
import { fixPlan } from "./fix-plan.ts";
import { gitlab } from "./gitlab.ts";
import { html } from "./html.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { sarif } from "./sarif.ts";
import { cyclonedx, spdx } from "./sbom.ts";
import { table } from "./table.ts";
import { vexFormats } from "../vex/index.ts";

/** Every form of output there is. */
export const formats: readonly Format[] = [
  table,
  json,
  sarif,
  junit,
  gitlab,
  html,
  cyclonedx,
  spdx,
  fixPlan,
  ...vexFormats,
];

/** Raises `ReportError` `no-format`. */
export function formatOf(name: string): Format {
  const format = formats.find((candidate) => candidate.name === name);
  if (format) return format;
  throw new ReportError("no-format", `--format ${name}: there is no such form`, {
    remedy: formats.map((candidate) => candidate.name).join(", "),
  });
}
