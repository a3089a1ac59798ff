import type { Report } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import { withDecisions } from "../decide.ts";
import { ReportError } from "../error.ts";
import { csaf } from "./csaf.ts";
import { cycloneDxVex } from "./cyclonedx.ts";
import { openVex } from "./openvex.ts";
import { speaksOf, type Statement } from "./statement.ts";
import type { VexFormat } from "./vex-format.ts";

/** Every form of VEX there is. */
const vexFormats: readonly VexFormat[] = [openVex, csaf, cycloneDxVex];

/** What one document says. */
export interface Vex {
  file: string;
  statements: Statement[];
}

/** Reads a document of VEX in whichever form it is. Raises `ReportError` `bad-vex`. */
export function parseVex(text: string, file: string): Vex {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== "object" || document === null) throw new Error("it is no object");
    const value = document as Readonly<Record<string, unknown>>;
    const format = vexFormats.find((candidate) => candidate.is(value));
    if (!format) throw new Error("it is none of the forms that are read");
    return { file, statements: format.read(value) };
  } catch (error) {
    throw new ReportError("bad-vex", `${file}: ${errorText(error).slice(0, 500)}`, {
      remedy: "name a document of OpenVEX, CSAF or CycloneDX",
      cause: error,
    });
  }
}

/** The report with what the documents decide about its vulnerabilities. Of several statements the latest counts. */
export function applyVex(report: Report, documents: readonly Vex[]): Report {
  const all = documents
    .flatMap(({ file, statements }) => statements.map((statement) => ({ file, statement })))
    .toSorted((a, b) => b.statement.time - a.statement.time);
  const byName = Map.groupBy(
    all.flatMap((entry) => entry.statement.names.map((name) => ({ name, ...entry }))),
    ({ name }) => name,
  );
  return withDecisions(report, ({ kind, item }) => {
    if (kind !== "vulnerability" || !("purl" in item)) return null;
    const heard = [item.id, ...item.aliases]
      .flatMap((name) => byName.get(name) ?? [])
      .filter(({ statement }) => speaksOf(statement, item, report))
      .toSorted((a, b) => b.statement.time - a.statement.time);
    const [latest] = heard;
    if (!latest) return null;
    const { status, reason } = latest.statement;
    if (status !== "not-affected" && status !== "fixed") return null;
    return { by: "vex", status, reason: reason.slice(0, 4096), owner: null, until: null, source: latest.file };
  });
}
