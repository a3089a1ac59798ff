import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

const found = (path: string, text: string) =>
  inventoryOf({ [path]: text }).packages.map(
    ({ name, version, development }) => `${name} ${version}${development ? " development" : ""}`,
  );

test("requirements: what is pinned, whatever else is on the line", () => {
  const text = `# comment
-r base.txt
Django==4.2.11
requests[security] == 2.31.0 ; python_version >= "3.8"
urllib3==1.26.18 \\
    --hash=sha256:34b97092d7e0a3a8cf7cd10e386f401b3737364026c45e622aa02903dffe0f07
exact===1.0
open>=1.0
some==1.*
git+https://github.com/x/y@v1
`;
  assert.deepEqual(found("requirements.txt", text), [
    "Django 4.2.11",
    "requests 2.31.0",
    "urllib3 1.26.18",
    "exact 1.0",
  ]);
  assert.deepEqual(found("requirements-dev.txt", "pytest==8.0.0\n"), ["pytest 8.0.0 development"]);
  assert.deepEqual(found("requirements/base.txt", "six==1.16.0\n"), ["six 1.16.0"]);
  assert.deepEqual(found("notes.txt", "six==1.16.0\n"), []);
});

test("Poetry: groups of 2, categories of 1, the project's own left out", () => {
  const lock = `[[package]]
name = "requests"
version = "2.31.0"
groups = ["main", "dev"]

[[package]]
name = "pytest"
version = "8.1.1"
groups = ["dev"]

[[package]]
name = "old"
version = "1"
category = "dev"

[[package]]
name = "mine"
version = "0.1"
[package.source]
type = "directory"
url = "../mine"

[metadata]
lock-version = "2.1"
`;
  assert.deepEqual(found("poetry.lock", lock), ["requests 2.31.0", "pytest 8.1.1 development", "old 1 development"]);
});

test("PDM, Pipenv and PEP 751", () => {
  assert.deepEqual(
    found(
      "pdm.lock",
      '[[package]]\nname = "a"\nversion = "1"\ngroups = ["default"]\n[[package]]\nname = "b"\nversion = "2"\ngroups = ["test"]\n',
    ),
    ["a 1", "b 2 development"],
  );
  assert.deepEqual(
    found(
      "Pipfile.lock",
      '{"default": {"flask": {"version": "==3.0.2"}, "local": {"path": "."}}, "develop": {"mypy": {"version": "==1.9.0"}}}',
    ),
    ["flask 3.0.2", "mypy 1.9.0 development"],
  );
  assert.deepEqual(found("pylock.toml", 'lock-version = "1.0"\n[[packages]]\nname = "attrs"\nversion = "25.1.0"\n'), [
    "attrs 25.1.0",
  ]);
});

test("uv: what the project does not need to run is for development", () => {
  const lock = `version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "httpx" }]
[package.dev-dependencies]
dev = [{ name = "ruff" }]
[[package]]
name = "httpx"
version = "0.27.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "idna" }]
[[package]]
name = "idna"
version = "3.6"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "ruff"
version = "0.3.4"
source = { registry = "https://pypi.org/simple" }
`;
  assert.deepEqual(found("uv.lock", lock), ["httpx 0.27.0", "idna 3.6", "ruff 0.3.4 development"]);
});

test("broken TOML is a failure with its line", () => {
  const [status] = inventoryOf({ "poetry.lock": "[[package]\nname=" }).extractors;
  assert.equal(status?.state, "failed");
  assert.deepEqual(namesAndVersions(inventoryOf({ "poetry.lock": "" })), []);
});
