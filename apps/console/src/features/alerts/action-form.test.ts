import assert from "node:assert/strict";
import { test } from "node:test";
import { action, actionKinds as known, type StoredAlert } from "@bulwark/model";
import { actionKinds, suggest, toAction, type ActionForm } from "./action-form.ts";

const alert = {
  process: { pid: 7, startTime: "99", executable: "/bin/nc" },
  evidence: [{ key: "peer", value: "[2001:db8::1]:4444" }],
} as unknown as StoredAlert;

test("what the alert suggests is a good order of each kind", () => {
  const form = suggest(alert);
  assert.deepEqual([form.kind, form.paths, form.peers], ["quarantine", "/bin/nc", "2001:db8::1"]);
  assert.deepEqual(actionKinds, known);
  for (const kind of actionKinds) {
    action.parse(toAction({ ...form, kind }, alert));
  }
});

test("peers are one a line, with ports behind a blank", () => {
  const form: ActionForm = {
    ...suggest(alert),
    kind: "deny-connect",
    peers: " 10.0.0.0/8\n\n10.0.0.5 443\n::1 80-90 ",
  };
  const made = toAction(form, alert);
  assert.ok(made?.kind === "deny-connect");
  const expected = [{ peer: "10.0.0.0/8" }, { peer: "10.0.0.5", ports: [443, 443] }, { peer: "::1", ports: [80, 90] }];
  assert.deepEqual(made.peers, expected);
  assert.equal(toAction({ ...form, peers: "" }, alert), undefined);
});
