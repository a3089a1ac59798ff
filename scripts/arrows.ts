/**
 * The arrows between packages run one way (ARCHITECTURE.md, Arrows):
 * - `core` imports only `core`; `operate` only `core`; the stages `scan`, `harden`, `watch`, `network` import `core`,
 *   packages of their own stage, and across stages only what `across` lists;
 * - nobody imports an app but the command line, which starts them;
 * - a package is imported by its face, never by a path into it, and is declared by who imports it;
 * - no cycles between packages.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/** `from → to` across stages, where the layout says that one builds on another. */
const across = new Set<string>([
  "admission → inventory",
  "admission → advisory",
  "benchmark → advisory",
  "benchmark → inventory",
  "signature → image",
  "imagepolicy → image",
  "traffic → sensor",
  "enforce → sensor",
]);
/** Apps that start another app. */
const starts = new Set(["cli → server", "cli → agent"]);

interface Package {
  name: string;
  stage: string;
  folder: string;
  declared: Set<string>;
  imports: Map<string, string>;
}

/** One line per arrow that must not be. */
export function arrowProblems(root: string): string[] {
  const packages = readPackages(root);
  const byName = new Map(packages.map((item) => [item.name, item]));
  return [...packages.flatMap((item) => wrongImports(item, byName)), ...cycles(packages)];
}

function readPackages(root: string): Package[] {
  return globSync(["packages/*/*/package.json", "apps/*/package.json"], { cwd: root }).map((file) => {
    const manifest = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
    const folder = dirname(file);
    const [area, stage] = folder.split(sep);
    return {
      name: manifest.name.replace("@bulwark/", ""),
      stage: area === "apps" ? "apps" : (stage ?? ""),
      folder,
      declared: new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })),
      imports: readImports(root, folder),
    };
  });
}
interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Imported module → a file that imports it. */
function readImports(root: string, folder: string): Map<string, string> {
  const imports = new Map<string, string>();
  for (const file of globSync("{src,dev}/**/*.{ts,tsx}", { cwd: join(root, folder) })) {
    const text = readFileSync(join(root, folder, file), "utf8");
    for (const match of text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
      const target = match[1] ?? "";
      const path = join(folder, file);
      if (target.startsWith("@bulwark/")) imports.set(target, path);
      if (target.startsWith(".") && relative(folder, join(dirname(path), target)).startsWith("..")) {
        imports.set(target, path);
      }
    }
  }
  return imports;
}

function wrongImports(item: Package, byName: Map<string, Package>): string[] {
  const problems: string[] = [];
  for (const [target, file] of item.imports) {
    const name = /^@bulwark\/([\w-]+)/.exec(target)?.[1];
    const to = name === undefined ? undefined : byName.get(name);
    if (!to) problems.push(`${file}: "${target}" leaves the package; import another package by its name`);
    else if (!item.declared.has(`@bulwark/${to.name}`)) problems.push(`${file}: @bulwark/${to.name} is not declared`);
    else if (!allowed(item, to))
      problems.push(`${file}: ${item.stage}/${item.name} must not import ${to.stage}/${to.name}`);
  }
  return problems;
}

function allowed(from: Package, to: Package): boolean {
  const arrow = `${from.name} → ${to.name}`;
  if (to.stage === "apps") return starts.has(arrow);
  if (from.stage === "apps" || to.stage === "core") return true;
  return from.stage === to.stage || across.has(arrow);
}

function cycles(packages: Package[]): string[] {
  const next = new Map(packages.map((item) => [item.name, targets(item)]));
  const done = new Set<string>();
  const problems: string[] = [];
  function visit(name: string, path: string[]): void {
    const at = path.indexOf(name);
    if (at >= 0) problems.push(`cycle: ${[...path.slice(at), name].join(" → ")}`);
    if (at >= 0 || done.has(name)) return;
    for (const target of next.get(name) ?? []) visit(target, [...path, name]);
    done.add(name);
  }
  for (const item of packages) visit(item.name, []);
  return problems;
}

function targets(item: Package): string[] {
  const names = [...item.imports.keys()].map((target) => /^@bulwark\/([\w-]+)/.exec(target)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))];
}
