import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openStore, type Store } from "@bulwark/store";
import { openAuthorities, type Authorities } from "./authorities.ts";

const day = 86_400_000;
const settle = 15_000;
const begun = Date.parse("2026-01-01T00:00:00Z");

let folder = "";
let store: Store;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulwark-authorities-"));
  store = await openStore({ sqlite: join(folder, "a.db") });
});
after(async () => {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const open = async (now: number): Promise<Authorities> =>
  openAuthorities({ store, holder: "a", secret: undefined, names: ["gate.example.com"], settle }, now);

function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );
}

/** Whether an API server that has this bundle takes what is served, at that moment. */
function isTaken(served: string, bundle: string, now: number): boolean {
  const [leaf] = certificatesIn(served);
  if (!leaf || leaf.validToDate.getTime() <= now || leaf.validFromDate.getTime() > now) return false;
  return certificatesIn(bundle).some((one) => one.validToDate.getTime() > now && leaf.verify(one.publicKey));
}

test("through a year and a half every cluster takes what is served, at every moment, and hears of each authority first", async () => {
  const authorities = await open(begun);
  let trusted = authorities.bundle();
  const seen = new Set<string>();
  for (let days = 0; days < 540; days += 2) {
    const now = begun + days * day;
    await authorities.refresh(now);
    const { cert } = await authorities.serving(["east"], now);
    assert.ok(isTaken(cert, trusted, now), `after ${days} days`);
    // The configuration follows a while after.
    trusted = authorities.bundle();
    authorities.published("east", trusted, now);
    for (const one of certificatesIn(trusted)) seen.add(one.fingerprint256);
  }
  assert.equal(seen.size, 3, "one a year, made after two thirds of it");
});

test("what has expired while the server was off is not served: a new authority is there with the start", async () => {
  const late = begun + 5 * 365 * day;
  const authorities = await open(late);
  const { cert } = await authorities.serving(["east"], late);
  assert.ok(isTaken(cert, authorities.bundle(), late));
  const [kept] = certificatesIn(authorities.bundle());
  assert.ok((kept?.validToDate.getTime() ?? 0) > late, "and nobody is told to trust the one that is over");
});
