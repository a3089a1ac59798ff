import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { places, type Image } from "./images.ts";

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Copies Node, as npm installed it for this checkout. */
export function copyNode(checkout: string, root: string): void {
  mkdirSync(join(root, dirname(places.node)), { recursive: true });
  cpSync(nodeBinary(checkout), join(root, places.node));
}

/** Copies our code and the packages that it depends on, as this checkout has them installed and tested. */
export function copyApplication(image: Image, checkout: string, root: string): void {
  const target = join(root, places.application);
  const done = new Set<string>();
  for (const workspace of image.workspaces) {
    copyPackage(join(checkout, "node_modules", workspace), checkout, target, done);
    linkWorkspace(workspace, checkout, target);
  }
  for (const path of image.built) {
    const from = join(checkout, path);
    if (!existsSync(from)) throw new Error(`${path} is not built: run npm run setup first`);
    cpSync(from, join(target, path), { recursive: true, filter: (file) => !file.endsWith(".map") });
  }
  const { name, version, license } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  writeFileSync(
    join(target, "package.json"),
    `${JSON.stringify({ name, version, license, type: "module" }, null, 2)}\n`,
  );
  cpSync(join(checkout, "LICENSE"), join(target, "LICENSE"));
  const isContent = (file: string): boolean => !file.endsWith(".cases.yaml");
  cpSync(join(checkout, "content"), join(target, "content"), { recursive: true, filter: isContent });
  mkdirSync(join(root, dirname(places.command)), { recursive: true });
  const start = `#!/${places.node} --disable-warning=ExperimentalWarning\nimport("/${places.application}/apps/cli/src/main.ts");\n`;
  writeFileSync(join(root, places.command), start, { mode: 0o755 });
}

function nodeBinary(checkout: string): string {
  const names = readdirSync(join(checkout, "node_modules")).filter((name) => name.startsWith("node-linux-"));
  const path = names.map((name) => join(checkout, "node_modules", name, "bin/node")).find((it) => existsSync(it));
  if (path === undefined) throw new Error("Node is not among the installed packages: run npm run setup first");
  return path;
}

/** A package and all that it depends on, each at its own place in the tree. */
function copyPackage(found: string, checkout: string, target: string, done: Set<string>): void {
  const folder = realpathSync(found);
  if (done.has(folder)) return;
  done.add(folder);
  const place = relative(checkout, folder);
  const ours = !place.startsWith("node_modules");
  cpSync(folder, join(target, place), {
    recursive: true,
    filter: (file) => (ours ? isSource(relative(folder, file)) : isRuntime(file, folder)),
  });
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const dependency = resolve(name, folder, checkout);
    if (dependency === undefined) {
      if (manifest.optionalDependencies?.[name] !== undefined) continue;
      throw new Error(`${manifest.name} depends on ${name}, which is not installed: run npm run setup first`);
    }
    copyPackage(dependency, checkout, target, done);
    if (lstatSync(dependency).isSymbolicLink()) linkWorkspace(name, checkout, target);
  }
}

/** As Node looks for it: in the nearest `node_modules` upwards. */
function resolve(name: string, from: string, checkout: string): string | undefined {
  for (let folder = from; folder.startsWith(checkout); folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(join(path, "package.json"))) return path;
  }
  return undefined;
}

/** `node_modules/@bulwark/x` is a link to its folder, in the image too. */
function linkWorkspace(name: string, checkout: string, target: string): void {
  const link = join(target, "node_modules", name);
  if (existsSync(link)) return;
  mkdirSync(dirname(link), { recursive: true });
  const folder = join(target, relative(checkout, realpathSync(join(checkout, "node_modules", name))));
  symlinkSync(relative(dirname(link), folder), link);
}

/** What runs of our own: no tests, no fixtures, nothing that is built. */
function isSource(file: string): boolean {
  if (file === "") return true;
  const top = file.split("/")[0] ?? "";
  if (["node_modules", "build", "dist", "testdata", "dev", "c"].includes(top)) return false;
  return !/\.(?:test|fixture|child)\.tsx?$|\.md$|(?:^|\/)Makefile$/.test(file);
}

/** What runs of others: no sources that were compiled, no types, no nested packages (they come on their own). */
function isRuntime(file: string, folder: string): boolean {
  if (file === folder) return true;
  if (relative(folder, file) === "node_modules") return false;
  return !/\.(?:map|d\.[cm]?ts|tsbuildinfo)$/.test(file) && !["test", "tests", "__tests__"].includes(basename(file));
}
