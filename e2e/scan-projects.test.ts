/** Projects of npm, Python, Rust, Java and rpm as their own tools install them: what those tools list is what is listed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { deflateSync } from "node:zlib";
import { makeLayout, missing, run } from "@bulwark/testkit";
import { listed, scannerIn, troubles } from "./scan-call.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-projects-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { scan } = scannerIn(folder);

function write(path: string, text: string | Buffer): string {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test("npm: what npm ls tells, from the lock file and from what is installed", { timeout: 300_000 }, async () => {
  // Real packages, packed as npm packs them: nothing is fetched.
  mkdirSync(join(folder, "packed"));
  const archive = (name: string): string => {
    const file = join(folder, "packed", `${name}.tgz`);
    run("tar", ["-C", join(root, "node_modules", name), "--transform", "s,^[.],package,", "-czf", file, "."]);
    return `file:../packed/${name}.tgz`;
  };
  const project = {
    ...{ name: "shop", version: "1.0.0", private: true },
    dependencies: {
      yaml: archive("yaml"),
      zod: archive("zod"),
      parser: archive("yaml"),
      "@shop/ignore": archive("ignore"),
    },
    devDependencies: { "fast-check": archive("fast-check") },
    overrides: { "pure-rand": archive("pure-rand") },
  };
  write("npm/package.json", JSON.stringify(project));
  const cwd = join(folder, "npm");
  run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd });

  interface Tree {
    name?: string;
    version?: string;
    dependencies?: Record<string, Tree>;
  }
  const flat = (tree: Tree): string[] =>
    Object.entries(tree.dependencies ?? {}).flatMap(([name, item]) => [
      `${item.name ?? name} ${item.version ?? ""}`,
      ...flat(item),
    ]);
  const told = (...flags: string[]): string[] => {
    const tree = JSON.parse(run("npm", ["ls", "--all", "--json", "--long", ...flags], { cwd })) as Tree;
    return [...new Set(flat(tree))].toSorted();
  };
  const all = told();
  assert.equal(all.length, 5, all.join());
  const { report: locked } = await scan("repo", cwd);
  assert.deepEqual(listed(locked, "npm"), all);
  const shipped = { ...locked, packages: locked.packages.filter(({ development }) => !development) };
  assert.deepEqual(listed(shipped, "npm"), told("--omit=dev"));
  mkdirSync(join(folder, "installed"));
  renameSync(join(cwd, "node_modules"), join(folder, "installed/node_modules"));
  const { report: installed } = await scan("fs", join(folder, "installed"));
  assert.deepEqual(listed(installed, "npm"), all);
  assert.deepEqual([...troubles(locked), ...troubles(installed)], []);
});

test("Python: what pip list tells of a virtual environment", { skip: missing("venv"), timeout: 300_000 }, async () => {
  const venv = join(folder, "venv");
  run("python3", ["-m", "venv", venv]);
  const pip = join(venv, "bin/pip");
  const told = JSON.parse(run(pip, ["list", "--format", "json"])) as { name: string; version: string }[];
  assert.ok(told.length > 0);
  // PEP 503: how names are compared.
  const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");
  const expected = told.map(({ name, version }) => `${normal(name)} ${version}`).toSorted();
  const { report } = await scan("fs", venv);
  assert.deepEqual(listed(report, "pypi", normal), expected);
  write("python/requirements.txt", run(pip, ["freeze", "--all"]));
  const { report: frozen } = await scan("repo", join(folder, "python"));
  assert.deepEqual(listed(frozen, "pypi", normal), expected);
});

test(
  "Rust: what cargo tells, from the lock file and from a program that says it",
  { skip: missing("cargo"), timeout: 300_000 },
  async () => {
    const cwd = join(folder, "rust");
    // Two crates without dependencies: seconds to build.
    write(
      "rust/Cargo.toml",
      '[package]\nname = "shop"\nversion = "0.3.1"\nedition = "2021"\n[dependencies]\nitoa = "1"\nryu = "1"\n',
    );
    // As `cargo auditable` does it: a list of what was built in, deflated, in a section of its own.
    // https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
    write(
      "rust/src/main.rs",
      `#[used] #[link_section = ".dep-v0"] static DEPENDENCIES: [u8; include_bytes!("dependencies").len()] = *include_bytes!("dependencies");
fn main() { println!("{} {} {}", itoa::Buffer::new().format(1), ryu::Buffer::new().format(1.5), std::hint::black_box(&DEPENDENCIES).len()); }
`,
    );
    const metadata = JSON.parse(
      execFileSync("cargo", ["metadata", "--format-version", "1"], {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      }),
    ) as {
      packages: { name: string; version: string; source: string | null }[];
    };
    const told = metadata.packages.map(({ name, version }) => `${name} ${version}`).toSorted();
    assert.equal(told.length, 3);
    const packages = metadata.packages.map(({ name, version, source }) => ({
      ...{ name, version, source: source === null ? "local" : "crates.io" },
      ...(source === null ? { root: true, dependencies: [] } : {}),
    }));
    write("rust/src/dependencies", deflateSync(JSON.stringify({ packages })));
    run("cargo", ["build", "--release", "--quiet", "--offline"], { cwd });
    assert.match(run(join(cwd, "target/release/shop"), []), /^1 1\.5 \d+/);

    const { report: locked } = await scan("repo", cwd);
    assert.deepEqual(listed(locked, "cargo"), told);
    mkdirSync(join(folder, "rust-program"));
    copyFileSync(join(cwd, "target/release/shop"), join(folder, "rust-program/shop"));
    const { report: built } = await scan("fs", join(folder, "rust-program"));
    assert.deepEqual(listed(built, "cargo"), told);
  },
);

test(
  "Java: Debian's jars by their coordinates, bare and in a web archive",
  { skip: missing("jars", "python") },
  async () => {
    const repository = "/usr/share/maven-repo";
    const wanted = ["com/google/guava/guava", "commons-cli/commons-cli", "org/slf4j/slf4j-api"];
    const told: string[] = [];
    mkdirSync(join(folder, "java/lib"), { recursive: true });
    mkdirSync(join(folder, "web/WEB-INF/lib"), { recursive: true });
    for (const path of wanted) {
      const version = readdirSync(join(repository, path)).find((name) => /^\d/.test(name)) ?? "";
      const artifact = basename(path);
      const jar = join(repository, path, version, `${artifact}-${version}.jar`);
      told.push(`${path.slice(0, -artifact.length - 1).replaceAll("/", ".")}:${artifact} ${version}`);
      copyFileSync(jar, join(folder, `java/lib/${artifact}.jar`));
      copyFileSync(jar, join(folder, `web/WEB-INF/lib/${artifact}.jar`));
    }
    mkdirSync(join(folder, "war"));
    run("python3", ["-m", "zipfile", "-c", join(folder, "war/shop.war"), join(folder, "web/WEB-INF")]);
    for (const place of ["java", "war"]) {
      const { report } = await scan("fs", join(folder, place));
      const found = listed(report, "maven");
      assert.deepEqual(
        told.filter((item) => !found.includes(item)),
        [],
        found.join("\n"),
      );
      // What Debian's guava was built with is in its jar.
      assert.ok(found.length <= told.length + 2, found.join("\n"));
    }
  },
);

test("rpm: what rpm -qa tells of an image", { skip: missing("rpm"), timeout: 300_000 }, async () => {
  const spec = (name: string, extra = ""): string => `Name: ${name}
Version: 1.2.3
Release: 4.el9
${extra}Summary: Demonstration
License: MIT
Vendor: Example Corp
BuildArch: noarch
%description
x
%package libs
Summary: Libraries
Version: 0.9~rc1
%description libs
x
%files
%files libs
`;
  const built = join(folder, "rpmbuild");
  for (const [name, extra] of [
    ["shop", "Epoch: 2\n"],
    ["other", ""],
  ] as const) {
    const file = write(`${name}.spec`, spec(name, extra));
    run("rpmbuild", ["-bb", "--quiet", "--define", `_topdir ${built}`, file]);
  }
  const database = join(folder, "rpm-root/var/lib/rpm");
  mkdirSync(database, { recursive: true });
  const options = ["--dbpath", database, "--define", "_db_backend sqlite"];
  const rpms = globSync("RPMS/*/*.rpm", { cwd: built }).map((file) => join(built, file));
  run("rpm", [...options, "-i", "--justdb", "--nodeps", "--noscripts", "--ignorearch", "--ignoreos", ...rpms]);
  run("rpm", [...options, "-e", "--justdb", "--nodeps", "--noscripts", "other-libs"]);
  const told = run("rpm", [...options, "-qa", "--qf", "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n"]);
  write("rpm-root/etc/os-release", 'ID="rocky"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n');
  run("tar", ["-C", join(folder, "rpm-root"), "-cf", join(folder, "rpm.tar"), "."]);
  const { report } = await scan("image", makeLayout(folder, [readFileSync(join(folder, "rpm.tar"))]));
  assert.deepEqual(listed(report, "rpm"), told.trim().split("\n").toSorted());
  assert.equal(listed(report, "rpm").length, 3);
  assert.deepEqual(troubles(report), []);
});
