import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../http/problem.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

test("a password fits its own hash only, each hash has its own salt", async () => {
  const [one, two] = await Promise.all([hashPassword("pässword one"), hashPassword("pässword one")]);
  assert.notEqual(one, two);
  assert.match(one, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.equal(await verifyPassword("pässword one", one), true);
  // The same letters as another keyboard composes them.
  assert.equal(await verifyPassword("pa\u0308ssword one", one), true);
  assert.equal(await verifyPassword("pässword two", one), false);
  assert.equal(await verifyPassword("", null), false);
});

test("a stored hash that cannot be read is an error, never a match", async () => {
  for (const stored of ["", "plain", "$scrypt$ln=15,r=8,p=3$AAAA$AAAA"]) {
    await assert.rejects(verifyPassword("x", stored));
  }
});

test("a flood of logins is refused, not queued without end", async () => {
  const results = await Promise.allSettled(Array.from({ length: 25 }, async () => verifyPassword("x", null)));
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 25 - 2 - 16);
  assert.ok(refused.every(({ reason }) => reason instanceof Refusal && reason.code === "too-many"));
  assert.equal(await verifyPassword("x", null), false, "afterwards it goes on");
});
