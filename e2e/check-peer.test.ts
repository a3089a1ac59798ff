import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { loadPeer } from "@bulwark/benchmark";
import type { BenchmarkReport, CheckState } from "@bulwark/model";
import { missing } from "@bulwark/testkit";
import { makeHost, openscap, runIn, type MadeHost } from "./made-host.ts";
import { bare, broken, odd, sound } from "./made-hosts.ts";

const repository = join(import.meta.dirname, "..");
const peer = loadPeer("ssg-debian");
const rules = peer.pairs.flatMap((pair) => pair.rules);

/**
 * `bulwark check host` beside OpenSCAP with the content of ssg-debian, over this machine and over hosts that are made: what
 * both ask must have one answer, or differ as `content/checks/peers/ssg-debian.yaml` says with a reason.
 */
describe("bulwark check host says what OpenSCAP says", { skip: missing("root", "openscap") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-peer-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const content = join(folder, "content");
  const stream = join(content, "stream.xml");
  const tailoring = join(content, "tailoring.xml");
  const oscap = ["oscap", "xccdf", "eval", "--skip-validation", "--progress", "--tailoring-file", tailoring];
  const theirCall = [...oscap, "--profile", "xccdf_bulwark_profile_peer", stream];
  const ourCall = [process.execPath, join(repository, "apps/cli/src/main.ts"), "check", "host", "--format", "json"];
  const met = new Set<string>();

  if (missing("root", "openscap") === false) writeContent(content, stream, tailoring);

  /** Where each pair has another answer than the peer and the file does not say why. */
  function differences(ours: ReadonlyMap<string, CheckState>, theirs: ReadonlyMap<string, CheckState>): string[] {
    return peer.pairs.flatMap(({ check, rules, differs }) => {
      const our = ours.get(check);
      const their = worst(rules.map((rule) => theirs.get(rule)));
      met.add(`${check}: ${our} and ${their}`);
      const said = differs.some((one) => one.ours === our && one.theirs === their);
      const detail = rules.map((rule) => `${rule} ${theirs.get(rule)}`).join(", ");
      return our === their || said ? [] : [`${check}: ours ${our}, theirs ${their} (${detail})`];
    });
  }

  async function judge(name: string, host: MadeHost): Promise<string[]> {
    const root = join(folder, name);
    makeHost(root, host);
    const node = ["/usr/bin/sh", "/usr/lib/*-linux-gnu", "/usr/lib64", repository, process.execPath];
    const [ours, theirs] = await Promise.all([
      runIn(root, host, node, ourCall),
      runIn(root, host, [...openscap, content], theirCall),
    ]);
    return differences(statesOfReport(ours), statesOfProgress(theirs));
  }

  test("of this machine, as it is", { timeout: 300_000 }, async () => {
    const [ours, theirs] = await Promise.all([run(ourCall), run(theirCall)]);
    assert.deepEqual(differences(statesOfReport(ours), statesOfProgress(theirs)), []);
  });

  test("of a host where all is as it should be", { timeout: 300_000 }, async () => {
    assert.deepEqual(await judge("sound", sound), []);
  });

  test("of a host where nothing is", { timeout: 300_000 }, async () => {
    assert.deepEqual(await judge("broken", broken), []);
  });

  test("of a host with little on it", { timeout: 300_000 }, async () => {
    assert.deepEqual(await judge("bare", bare), []);
  });

  test("of a host where all is written as few write it", { timeout: 300_000 }, async () => {
    assert.deepEqual(await judge("odd", odd), []);
  });

  test("every pair was seen to pass and to fail alike, but for those that systemd would have to be there for", () => {
    const live = peer.pairs.filter(({ differs }) => !differs.some(({ because }) => because === "no-systemd"));
    const never = live.flatMap(({ check }) =>
      ["pass and pass", "fail and fail"].map((both) => `${check}: ${both}`).filter((one) => !met.has(one)),
    );
    assert.deepEqual(never, []);
  });

  test("no reason for a difference is kept that no host shows, but for those that the machine decides about", () => {
    const shown = peer.pairs.flatMap(({ check, differs }) =>
      differs.filter(({ ours, theirs }) => met.has(`${check}: ${ours} and ${theirs}`)).map(({ because }) => because),
    );
    const known = new Set([...shown, "boot-only"]);
    const idle = Object.keys(peer.reasons).filter((reason) => !known.has(reason));
    assert.deepEqual(idle, []);
  });
});

/**
 * Debian 12 has no content of its own in ssg-debian: that of Debian 11 is asked, of Debian 12 too, and of machines that are
 * virtual by a container (`/.dockerenv`).
 */
function writeContent(folder: string, stream: string, tailoring: string): void {
  mkdirSync(folder);
  const text = readFileSync("/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml", "utf8");
  const widened = text.replaceAll("^11.[0-9]+$", "^1[12].[0-9]+$").replaceAll(">/.dockerenv<", ">/.no-container<");
  writeFileSync(stream, widened);
  const id = "xccdf_org.ssgproject.content";
  // oscap passes over every second element where nothing is between them.
  const lines = [
    '<t:Tailoring xmlns:t="http://checklists.nist.gov/xccdf/1.2" id="xccdf_bulwark_tailoring_peer">',
    '<t:version time="2026-01-01T00:00:00">1</t:version>',
    '<t:Profile id="xccdf_bulwark_profile_peer"><t:title>peer</t:title>',
    ...rules.map((rule) => `<t:select idref="${id}_rule_${rule}" selected="true"/>`),
    ...Object.entries(peer.values).map(
      ([name, value]) => `<t:set-value idref="${id}_value_${name}">${value}</t:set-value>`,
    ),
    "</t:Profile></t:Tailoring>",
  ];
  writeFileSync(tailoring, lines.join("\n"));
}

async function run([program = "", ...words]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // Both leave with another code than 0 where something fails.
    execFile(program, words, { maxBuffer: 64 * 1024 ** 2 }, (error, out, err) => {
      if (out === "") reject(new Error(`${program} printed nothing: ${err}`, { cause: error }));
      else resolve(out);
    });
  });
}

const bySeverity: readonly CheckState[] = ["fail", "unknown", "pass", "not-applicable"];

function worst(states: readonly (CheckState | undefined)[]): CheckState | undefined {
  return bySeverity.find((state) => states.includes(state));
}

function statesOfReport(text: string): Map<string, CheckState> {
  const { results } = JSON.parse(text) as BenchmarkReport;
  const byCheck = Map.groupBy(results, ({ check }) => check);
  return new Map([...byCheck].map(([check, all]) => [check, worst(all.map(({ state }) => state)) ?? "unknown"]));
}

const words: Readonly<Record<string, CheckState>> = { pass: "pass", fail: "fail", notapplicable: "not-applicable" };

/** `xccdf_…_rule_sudo_add_use_pty:fail` */
function statesOfProgress(text: string): Map<string, CheckState> {
  const found = [...text.matchAll(/content_rule_(\S+):(\w+)$/gm)];
  return new Map(found.map(([, rule = "", result = ""]) => [rule, words[result] ?? "unknown"]));
}
