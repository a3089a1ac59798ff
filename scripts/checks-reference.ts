/** Writes docs/checks.md from content/checks. A test holds that it is up to date. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksReference, loadLibrary } from "@bulwark/benchmark";

writeFileSync(join(import.meta.dirname, "../docs/checks.md"), checksReference(loadLibrary()));
