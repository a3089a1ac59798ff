import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("mix.lock: packages of Hex by the package's name", () => {
  const text = `%{
  "phoenix": {:hex, :phoenix, "1.7.11", "1d88fc6b", [:mix], [{:jason, "~> 1.0", [hex: :jason, repo: "hexpm", optional: true]}], "hexpm", "b1ec57f2"},
  "app": {:hex, :"real-name", "0.1.0", "x", [:mix], [], "hexpm", "y"},
  "fork": {:git, "https://github.com/x/fork.git", "0123", []},
}
`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "mix.lock": text })), ["phoenix 1.7.11", "real-name 0.1.0"]);
});
