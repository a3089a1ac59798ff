import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { checkResult } from "@bulwark/model";
import { dockerfileFacts } from "./dockerfile-facts.ts";
import { checkDockerfile, parseDockerfile } from "./index.ts";
import { substitute } from "./substitute.ts";

const read = (text: string) =>
  parseDockerfile(text).instructions.map(({ name, line, text }) => [name, line, text.replaceAll(/\s+/g, " ")]);

test("continued lines are one, with comments and empty lines between them left out", () => {
  assert.deepEqual(read("# syntax=docker/dockerfile:1\nFROM a\nRUN b \\\n  # why\n\n  && c\nCMD d\n"), [
    ["FROM", 2, "a"],
    ["RUN", 3, "b && c"],
    ["CMD", 7, "d"],
  ]);
});

test("the escape directive moves the sign; it counts only before everything else", () => {
  assert.deepEqual(read("# escape=`\nFROM a\nRUN dir C:\\ `\n && b\n"), [
    ["FROM", 2, "a"],
    ["RUN", 3, "dir C:\\ && b"],
  ]);
  assert.deepEqual(read("FROM a\n# escape=`\nRUN b \\\n c\n"), [
    ["FROM", 1, "a"],
    ["RUN", 3, "b c"],
  ]);
});

test("here-documents are bodies, not instructions", () => {
  const { instructions, problems } = parseDockerfile(
    'FROM a\nRUN <<EOF\nFROM evil\nEOF\nCOPY <<-"A" <<B /x/\n\tone\n\tA\ntwo\nB\nRUN cat <<<word\nCMD c\n',
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    instructions.map(({ name, line, heredocs }) => [name, line, heredocs.map(({ body }) => body)]),
    [
      ["FROM", 1, []],
      ["RUN", 2, ["FROM evil"]],
      ["COPY", 5, ["one", "two"]],
      ["RUN", 10, []],
      ["CMD", 11, []],
    ],
  );
  assert.deepEqual(parseDockerfile("FROM a\nRUN <<EOF\nx\n").problems, [
    { line: 2, message: "the here-document EOF has no end" },
  ]);
});

test("flags, the JSON form and small letters", () => {
  const [from, copy, run] = parseDockerfile(
    'from --platform=$BUILDPLATFORM a AS b\nCOPY --from=b --chown="1:1" ["a b", "/c"]\nRUN --mount=type=cache,target=/x --network=none y\n',
  ).instructions;
  assert.deepEqual(from?.flags, { platform: "$BUILDPLATFORM" });
  assert.deepEqual([copy?.flags, copy?.json], [{ from: "b", chown: "1:1" }, ["a b", "/c"]]);
  assert.deepEqual([run?.flags, run?.text], [{ mount: "type=cache,target=/x", network: "none" }, "y"]);
});

test("arguments before the first FROM are put into names of images", () => {
  const facts = dockerfileFacts(
    "ARG A=13\nARG B=debian:${A}-slim\nARG C\nFROM ${B} AS One\nFROM one\nFROM ${C:-alpine:3.22}\nFROM $C\n",
  ).values as { dockerfile: { stages: { image: string; local: boolean; unknown: string[] }[] } };
  assert.deepEqual(
    facts.dockerfile.stages.map(({ image, local, unknown }) => [image, local, unknown]),
    [
      ["debian:13-slim", false, []],
      ["one", true, []],
      ["alpine:3.22", false, []],
      ["", false, ["C"]],
    ],
  );
});

test("substitution as BuildKit does it", () => {
  const values = new Map([
    ["A", "1"],
    ["E", ""],
  ]);
  const cases: [string, string][] = [
    ["$A-${A}", "1-1"],
    ["${E:-x} ${E-x} ${N-x}", "x  x"],
    ["${A:+y}${N:+y}", "y"],
    ["\\$A", "$A"],
    ["$N.", "."],
  ];
  for (const [text, wanted] of cases) assert.equal(substitute(text, values).text, wanted, text);
});

test("results are of their shape and name the line", () => {
  const results = checkDockerfile("FROM debian\nENV TOKEN=abc\nRUN curl http://a/b | sh\n", "web/Dockerfile");
  for (const result of results) checkResult.parse(result);
  const failed = results.filter(({ state }) => state === "fail");
  assert.deepEqual(
    failed
      .filter(({ severity }) => severity === "critical" || severity === "high")
      .map(({ check, line }) => [check, line]),
    [
      ["dockerfile-curl-pipe-shell", 3],
      ["dockerfile-root-user", null],
      ["dockerfile-secret-variable", 2],
    ],
  );
  assert.ok(!JSON.stringify(results).includes("abc"), "the value of the credential is not told");
});

test("no text breaks it, and a text that is none of a Dockerfile is unknown, not clean", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.constantFrom("FROM a\n", "RUN <<A\n", "\\\n", "ENV ", "$", "${", "[", "--x=", "# escape=`\n"),
        ),
      ),
      (parts) => {
        const results = checkDockerfile(parts.join(""), "x");
        assert.ok(results.length > 0);
      },
    ),
    fuzzing(200),
  );
  const states = new Set(checkDockerfile("hello", "x").map(({ state }) => state));
  assert.deepEqual([...states], ["unknown"]);
});
