/** Each way to attack from a container that issue and rules name, done for real and without harm: it is told, of whom, and how. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDetectors } from "@bulwark/detect";
import { openRules } from "@bulwark/rules";
import { missing } from "@bulwark/testkit";
import { kinds } from "./kinds.ts";
import { lack, perform } from "./perform.ts";
import { runcSite } from "./site.ts";
import { unseen } from "./unseen.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox", "python");

perform("techniques in real containers", [], { skip, kinds, open: runcSite });

describe("what the techniques show", { skip }, () => {
  test("every rule and every detector is shown here, or says why not", (t) => {
    for (const technique of Object.values(kinds).flat()) {
      const reason = lack(technique);
      if (reason !== false) t.diagnostic(`not tried: ${technique.what}: ${reason}`);
    }
    const { ruleset } = openRules({ files: [], disabled: [] });
    const all = [
      ...ruleset.rules.filter(({ source }) => source === "syscall").map(({ id }) => id),
      ...createDetectors().map(({ id }) => id),
    ];
    const shown = new Set<string>();
    for (const { alerts = {}, rules = [] } of Object.values(kinds).flat()) {
      for (const id of [...Object.keys(alerts), ...rules]) shown.add(id);
    }
    assert.deepEqual(
      all.filter((id) => !shown.has(id) && unseen[id] === undefined),
      [],
      "no technique shows them",
    );
    assert.deepEqual(
      Object.keys(unseen).filter((id) => shown.has(id) || !all.includes(id)),
      [],
      "these are shown, or do not exist",
    );
  });
});
