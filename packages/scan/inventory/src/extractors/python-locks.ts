import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";
import { parseToml } from "../formats/toml.ts";
import { reach } from "../formats/reach.ts";
import { lines } from "../formats/stanza.ts";

const common = { kind: "locked", limit: 32 * megabyte } as const;

/** `requirements.txt` and its kin: what is pinned with `==`. https://pip.pypa.io/en/stable/reference/requirements-file-format/ */
export const requirements: Extractor = {
  ...common,
  name: "python-requirements",
  files: { endings: [".txt"], path: /\/(?:[^/]*requirements[^/]*\.txt|requirements\/[^/]+\.txt)$/ },
  extract(content, path): Found {
    const development = /(?:^|[^a-z])(?:dev|test|tests|lint|docs)(?:[^a-z]|$)/.test(
      path.slice(path.lastIndexOf("/") + 1),
    );
    const packages: FoundPackage[] = [];
    for (const line of lines(content.toString("utf8"))) {
      const [, name, version] = pinned.exec(line) ?? [];
      if (name !== undefined && version !== undefined) packages.push({ type: "pypi", name, version, development });
    }
    return { packages, errors: [] };
  },
};
/** `name[extra] == 1.0 ; marker --hash=…`; `== 1.*` pins nothing. */
const pinned = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([\w.!+-]+)(?![\w.!+*-])/;

/** `poetry.lock` https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock */
export const poetry: Extractor = {
  ...common,
  name: "poetry",
  files: { names: ["poetry.lock"] },
  extract: (content) => ({
    packages: tables(content, "package").flatMap((entry) => {
      const groups = list(entry["groups"]);
      const development = entry["category"] === "dev" || (groups.length > 0 && !groups.includes("main"));
      return local(entry["source"]) ? [] : [{ ...nameAndVersion(entry), development }];
    }),
    errors: [],
  }),
};

/** `pdm.lock` https://pdm-project.org/latest/usage/lockfile/ */
export const pdm: Extractor = {
  ...common,
  name: "pdm",
  files: { names: ["pdm.lock"] },
  extract: (content) => ({
    packages: tables(content, "package")
      .filter((entry) => entry["path"] === undefined)
      .map((entry) => {
        const groups = list(entry["groups"]);
        return { ...nameAndVersion(entry), development: groups.length > 0 && !groups.includes("default") };
      }),
    errors: [],
  }),
};

/** `uv.lock` https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile */
export const uv: Extractor = {
  ...common,
  name: "uv",
  files: { names: ["uv.lock"] },
  extract(content) {
    const entries = tables(content, "package");
    const own = entries.filter(({ source }) => local(source));
    const names = (values: unknown): string[] => list(values).map((item) => text(record(item)["name"]) ?? "");
    const next = (entry: Record<string, unknown>): string[] => [
      ...names(entry["dependencies"]),
      ...Object.values(record(entry["optional-dependencies"])).flatMap(names),
    ];
    const byName = Map.groupBy(entries, ({ name }) => text(name) ?? "");
    const needed = reach(own.flatMap(next), (name) => (byName.get(name) ?? []).flatMap(next));
    const packages = entries
      .filter((entry) => !own.includes(entry))
      .map(nameAndVersion)
      .map((item) => ({ ...item, development: own.length > 0 && !needed.has(item.name) }));
    return { packages, errors: [] };
  },
};

/** `pylock.toml`, https://packaging.python.org/en/latest/specifications/pylock-toml/ */
export const pylock: Extractor = {
  ...common,
  name: "pylock",
  files: { endings: [".toml"], path: /\/pylock(?:\.[^/.]+)?\.toml$/ },
  extract: (content) => ({
    packages: tables(content, "packages")
      .filter((entry) => entry["version"] !== undefined)
      .map(nameAndVersion),
    errors: [],
  }),
};

/** `Pipfile.lock` https://pipenv.pypa.io/en/latest/pipfile.html */
export const pipenv: Extractor = {
  ...common,
  name: "pipenv",
  files: { names: ["Pipfile.lock"] },
  extract(content) {
    const lock = record(parseJson(content));
    const of = (section: string, development: boolean): FoundPackage[] =>
      Object.entries(record(lock[section])).flatMap(([name, entry]) => {
        const version = /^===?(.+)$/.exec(text(record(entry)["version"]) ?? "")?.[1];
        return version === undefined ? [] : [{ type: "pypi" as const, name, version, development }];
      });
    return { packages: [...of("default", false), ...of("develop", true)], errors: [] };
  },
};

function tables(content: Buffer, key: string): Record<string, unknown>[] {
  const found = parseToml(content)[key];
  if (found !== undefined && !Array.isArray(found)) throw new Error(`[[${key}]] is no list of tables`);
  return list(found).map(record);
}

function nameAndVersion(entry: Record<string, unknown>): FoundPackage {
  const name = text(entry["name"]);
  const version = text(entry["version"]);
  if (name === undefined || version === undefined)
    throw new Error(`an entry without a ${name ? `version: ${name}` : "name"}`);
  return { type: "pypi", name, version };
}

/** The project itself and what lies beside it. */
function local(source: unknown): boolean {
  const { type, virtual, editable, directory, path } = record(source);
  return type === "directory" || type === "file" || [virtual, editable, directory, path].some((at) => at !== undefined);
}
