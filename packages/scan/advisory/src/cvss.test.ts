import assert from "node:assert/strict";
import { test } from "node:test";
import { bestVector, cvssScore } from "./cvss.ts";
import { severityOfScore, severityOfWord } from "./severity-of.ts";

/**
 * Examples of FIRST: https://www.first.org/cvss/v2/guide (3.3), https://www.first.org/cvss/v3.0/examples,
 * https://www.first.org/cvss/v3.1/examples, https://www.first.org/cvss/v4.0/examples
 */
const examples: [vector: string, score: number][] = [
  ["AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8],
  ["AV:N/AC:L/Au:N/C:C/I:C/A:C", 10],
  ["AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2],
  ["AV:N/AC:L/Au:N/C:N/I:N/A:N", 0],
  ["CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4],
  ["CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1],
  ["CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8],
  ["CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8],
  ["CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 4.6],
  ["CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:N/A:N", 6.8],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3],
  ["CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7],
  ["CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 8.3],
  ["CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3],
  ["CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 8.6],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0],
];

for (const [vector, score] of examples) {
  test(`${vector} is ${score}`, () => assert.equal(cvssScore(vector), score));
}

test("what is no whole vector has no score", () => {
  for (const text of ["", "9.8", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N/AC:L", "AV:N/AC:L", "x".repeat(10_000)]) {
    assert.equal(cvssScore(text), undefined, text);
  }
});

test("the newest version counts, and one that is broken does not", () => {
  const three = { type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" };
  const four = { type: "CVSS_V4", score: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" };
  assert.equal(bestVector([three, four]), four.score);
  assert.equal(bestVector([three, { type: "CVSS_V4", score: "CVSS:4.0/AV:N" }]), three.score);
  assert.equal(bestVector([{ type: "CVSS_V3", score: "" }]), null);
});

test("ratings by score, and the words of distributions", () => {
  assert.deepEqual([9, 8.9, 7, 6.9, 4, 3.9, 0.1, 0].map(severityOfScore), [
    "critical",
    "high",
    "high",
    "medium",
    "medium",
    "low",
    "low",
    "negligible",
  ]);
  assert.deepEqual(["Important", "MODERATE", "unimportant", "medium**", "not yet assigned"].map(severityOfWord), [
    "high",
    "medium",
    "negligible",
    "medium",
    undefined,
  ]);
});
