import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkPod } from "@bulwark/podsecurity";
import { missing, suitesDir } from "@bulwark/testkit";
import { parse } from "yaml";
import { admissionOf, loadLibrary, requestFor, type Json } from "./index.ts";

const library = loadLibrary(join(import.meta.dirname, "../../../../content/policies"));

/** Policies know no versions: they are held against the standard as it is now. */
test(
  "the policies of the restricted standard let the same pods through as the standard",
  {
    skip: missing("suites"),
  },
  () => {
    const parts = library.filter(({ podSecurity }) => podSecurity === "restricted");
    const admission = admissionOf(parts, { namespaceOf: (name) => ({ metadata: { name } }), paramsOf: () => [] });
    const folder = join(suitesDir(), "podsecurity");
    const files = globSync("*/*/{pass,fail}/*.yaml", { cwd: folder });
    assert.ok(files.length > 500, String(files.length));
    const different = files.flatMap((file) => {
      const pod = parse(readFileSync(join(folder, file), "utf8")) as Json;
      const wanted = checkPod("restricted", "latest", pod).map(({ check }) => check);
      const found = admission.review(requestFor(pod)).decisions.map(({ policy }) => policy);
      return wanted.length > 0 === found.length > 0 ? [] : [`${file}: ${wanted.join()} | ${found.join()}`];
    });
    assert.deepEqual(different, []);
  },
);
