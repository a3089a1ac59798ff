import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { formatPurl, parsePurl, PurlError, type PackageUrl } from "./purl.ts";

interface Case {
  description: string;
  /** `validate`: reads and writes it back; the others say what they do. */
  test_type: "parse" | "build" | "validate" | "roundtrip";
  input: string | Parts;
  expected_output: string | Parts | null;
  expected_failure: boolean;
}
type Parts = { [Key in keyof PackageUrl]: PackageUrl[Key] | null };

/** Holds every case of the suite of the specification (package-url/purl-spec, tests) against `parsePurl` and `formatPurl`. */
export function purlConformance(folder: string): { passed: number; failures: string[] } {
  let passed = 0;
  const failures: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith("-test.json"))) {
    const { tests } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { tests: Case[] };
    for (const one of tests) {
      const answer = answerOf(one);
      const expected = one.expected_failure ? undefined : one.expected_output;
      if (isDeepStrictEqual(answer, expected)) passed++;
      else failures.push(`${file}: ${one.test_type} ${JSON.stringify(one.input)}: ${JSON.stringify(answer)}`);
    }
  }
  return { passed, failures };
}

/** Undefined where the input is refused. */
function answerOf({ test_type, input }: Case): unknown {
  try {
    if (typeof input !== "string")
      return formatPurl({
        ...input,
        type: input.type ?? "",
        name: input.name ?? "",
        qualifiers: input.qualifiers ?? {},
      });
    const parts = parsePurl(input, { strict: test_type === "parse" });
    if (test_type !== "parse") return formatPurl(parts);
    return { ...parts, qualifiers: Object.keys(parts.qualifiers).length === 0 ? null : parts.qualifiers };
  } catch (error) {
    if (error instanceof PurlError) return undefined;
    throw error;
  }
}
