import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Decision, Report, ReportedVulnerability } from "@bulwark/model";
import { ReportError } from "../error.ts";
import { hostile, sampleReport, sampleVulnerability } from "../report.fixture.ts";
import { csaf } from "./csaf.ts";
import { cycloneDxVex } from "./cyclonedx.ts";
import { applyVex, parseVex } from "./index.ts";
import { openVex as openVexFormat } from "./openvex.ts";

const openssl = "pkg:deb/debian/openssl@3.0.10-1?arch=amd64&distro=debian-12";
const digest = `sha256:${"a".repeat(64)}`;

/** How the sample's openssl is decided after documents. */
function decide(...documents: object[]): string | undefined {
  const vex = documents.map((document, index) => parseVex(JSON.stringify(document), `${index}.json`));
  return applyVex(sampleReport(), vex).vulnerabilities?.[0]?.decision?.status;
}

function openVex(statement: object, timestamp = "2026-01-01T00:00:00Z"): object {
  return { "@context": "https://openvex.dev/ns/v0.2.0", timestamp, statements: [statement] };
}

describe("OpenVEX", () => {
  const say = (products: unknown, rest: object = {}): string | undefined =>
    decide(openVex({ vulnerability: { name: "CVE-2024-0001" }, products, status: "not_affected", ...rest }));

  test("a product is the package, in that version or in all, with those qualifiers or with any", () => {
    assert.equal(say([{ "@id": openssl }]), "not-affected");
    assert.equal(say([{ "@id": "pkg:deb/debian/openssl" }]), "not-affected");
    assert.equal(say([{ "@id": "pkg:deb/debian/openssl@3.0.10-1?distro=debian-12" }]), "not-affected");
    assert.equal(say([{ identifiers: { purl: "pkg:deb/debian/openssl@3.0.10-1" } }]), "not-affected");
    assert.equal(say(["pkg:deb/debian/openssl"]), "not-affected");
    assert.equal(say([{ "@id": "pkg:deb/debian/openssl@3.0.9-1" }]), undefined);
    assert.equal(say([{ "@id": "pkg:deb/debian/openssl@3.0.10-1?arch=arm64" }]), undefined);
    assert.equal(say([{ "@id": "pkg:deb/ubuntu/openssl" }]), undefined);
  });

  test("or the image, by digest or by name, and then only what is named inside of it", () => {
    assert.equal(say([{ "@id": `pkg:oci/web@${digest}` }]), "not-affected");
    assert.equal(say([{ "@id": "pkg:oci/web@1.2?repository_url=shop" }]), "not-affected");
    assert.equal(say([{ "@id": "shop/web:1.2" }]), "not-affected");
    assert.equal(say([{ "@id": "pkg:oci/web@1.3" }]), undefined);
    assert.equal(say([{ "@id": `pkg:oci/web@sha256:${"b".repeat(64)}` }]), undefined);
    const inside = (id: string): object[] => [{ "@id": `pkg:oci/web@${digest}`, subcomponents: [{ "@id": id }] }];
    assert.equal(say(inside(openssl)), "not-affected");
    assert.equal(say(inside("pkg:deb/debian/curl")), undefined);
  });

  test("by another name of the weakness; what affects or is being looked into decides nothing", () => {
    const products = [openssl];
    const say2 = (vulnerability: unknown, status: string): string | undefined =>
      decide(openVex({ vulnerability, products, status }));
    assert.equal(say2({ name: "DSA-1-1" }, "fixed"), "fixed");
    assert.equal(say2({ "@id": "https://nvd.nist.gov/vuln/detail/CVE-2024-0001" }, "fixed"), "fixed");
    assert.equal(say2("CVE-2024-0001", "affected"), undefined);
    assert.equal(say2("CVE-2024-0001", "under_investigation"), undefined);
    assert.equal(say2("CVE-2024-9999", "fixed"), undefined);
  });

  test("what is said later counts, in whatever order the documents come", () => {
    const statement = { vulnerability: "CVE-2024-0001", products: [openssl] };
    const early = openVex({ ...statement, status: "not_affected" }, "2026-01-01T00:00:00Z");
    const late = openVex({ ...statement, status: "affected" }, "2026-02-01T00:00:00Z");
    assert.equal(decide(early, late), undefined);
    assert.equal(decide(late, early), undefined);
    assert.equal(decide(early), "not-affected");
  });
});

describe("CSAF", () => {
  const csaf = (product_status: object, rest: object = {}): object => ({
    document: { category: "csaf_vex", csaf_version: "2.0", tracking: { current_release_date: "2026-01-01T00:00:00Z" } },
    product_tree: {
      branches: [
        {
          category: "vendor",
          branches: [
            {
              product: {
                product_id: "P",
                name: "openssl",
                product_identification_helper: { purl: "pkg:deb/debian/openssl" },
              },
            },
            { product: { product_id: "I", name: "shop/web:1.2" } },
          ],
        },
      ],
      relationships: [
        {
          product_reference: "P",
          relates_to_product_reference: "I",
          full_product_name: { product_id: "I:P", name: "x" },
        },
      ],
    },
    vulnerabilities: [{ cve: "CVE-2024-0001", product_status, ...rest }],
  });

  test("products of the tree, and a part of another one", () => {
    assert.equal(decide(csaf({ known_not_affected: ["P"] })), "not-affected");
    assert.equal(decide(csaf({ fixed: ["I:P"] })), "fixed");
    assert.equal(decide(csaf({ known_affected: ["P"] })), undefined);
    assert.equal(decide(csaf({ fixed: ["nobody"] })), undefined);
  });

  test("the reason is the flag and the impact of that product", () => {
    const document = csaf(
      { known_not_affected: ["P"] },
      {
        flags: [{ label: "vulnerable_code_not_present", product_ids: ["P"] }],
        threats: [{ category: "impact", details: "not built in", product_ids: ["P"] }],
      },
    );
    const report = applyVex(sampleReport(), [parseVex(JSON.stringify(document), "v")]);
    assert.equal(report.vulnerabilities?.[0]?.decision?.reason, "vulnerable_code_not_present: not built in");
  });
});

test("CycloneDX: by reference into the document, by link, by package URL", () => {
  const say = (ref: string, state: string): string | undefined =>
    decide({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [{ "bom-ref": "c1", purl: openssl }],
      vulnerabilities: [{ id: "CVE-2024-0001", affects: [{ ref }], analysis: { state } }],
    });
  assert.equal(say("c1", "not_affected"), "not-affected");
  assert.equal(say("c1", "resolved"), "fixed");
  assert.equal(
    say(`urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#${encodeURIComponent(openssl)}`, "false_positive"),
    "not-affected",
  );
  assert.equal(say(openssl, "exploitable"), undefined);
  assert.equal(say("c2", "not_affected"), undefined);
});

for (const [name, format] of Object.entries({ openVex: openVexFormat, csaf, cycloneDxVex })) {
  const decision = (status: Decision["status"]): Decision => ({
    by: "exception",
    status,
    reason: "because",
    owner: "web",
    until: null,
    source: "x",
  });
  const list: ReportedVulnerability[] = [
    sampleVulnerability({ id: "CVE-2024-0001", decision: decision("not-affected") }),
    sampleVulnerability({ id: "CVE-2024-0002", decision: decision("fixed") }),
    sampleVulnerability({ id: "CVE-2024-0003", decision: decision("accepted") }),
    sampleVulnerability({ id: "GHSA-4" }),
  ];

  test(`${name}: what is written is read again with the same meaning`, () => {
    const report = sampleReport(undefined, { vulnerabilities: list });
    const plain: Report = { ...report, vulnerabilities: list.map((item) => ({ ...item, decision: null })) };
    const read = applyVex(plain, [parseVex(format.write(report), "v")]);
    assert.deepEqual(
      read.vulnerabilities?.map(({ decision: decided }) => decided && [decided.status, decided.reason]),
      [["not-affected", "because"], ["fixed", "because"], null, null],
    );
  });

  test(`${name}: foreign text is data`, () => {
    const out = format.write(sampleReport(hostile));
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(out, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
    parseVex(out, "v");
  });
}

test("what is none of the forms is said to be none", () => {
  const deep = `${'{"branches":['.repeat(5000)}${"]}".repeat(5000)}`;
  for (const text of [
    "",
    "[]",
    "{}",
    '{"@context":"https://openvex.dev/ns","statements":[{}]}',
    '{"document":{"csaf_version":"2.0"},"vulnerabilities":{}}',
    `{"document":{"csaf_version":"2.0"},"product_tree":${deep}}`,
  ]) {
    assert.throws(
      () => parseVex(text, "v.json"),
      (error) => error instanceof ReportError && error.code === "bad-vex" && error.message.startsWith("v.json: "),
      text.slice(0, 80),
    );
  }
});
