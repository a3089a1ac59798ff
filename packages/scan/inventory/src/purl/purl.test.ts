import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fuzzing, missing, suitesDir } from "@bulwark/testkit";
import fc from "fast-check";
import { purlConformance } from "./conformance.ts";
import { formatPurl, parsePurl, PurlError } from "./purl.ts";

test("every case of the specification's suite", { skip: missing("suites") }, () => {
  const { passed, failures } = purlConformance(join(suitesDir(), "purl"));
  assert.deepEqual(failures, []);
  assert.ok(passed > 500);
});

test("what is written is read back, whatever is in the parts", () => {
  const part = fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => !/^[/\s]*$/.test(text));
  fc.assert(
    fc.property(
      part,
      part,
      fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/), part),
      (name, version, qualifiers) => {
        const written = formatPurl({
          type: "generic",
          name: name.toWellFormed(),
          version: version.toWellFormed(),
          qualifiers,
        });
        return formatPurl(parsePurl(written)) === written;
      },
    ),
    fuzzing(40),
  );
});

test("any text is read or refused with PurlError", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parsePurl(`pkg:${text}`);
      } catch (error) {
        assert.ok(error instanceof PurlError);
      }
    }),
    fuzzing(500),
  );
});
