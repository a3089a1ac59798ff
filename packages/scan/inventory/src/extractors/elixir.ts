import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/** `mix.lock`: a map of Elixir, an entry a line: `"plug": {:hex, :plug, "1.15.2", …}`. https://hexdocs.pm/mix/Mix.Tasks.Deps.html */
export const mix: Extractor = {
  name: "mix",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["mix.lock"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    for (const line of lines(content.toString("utf8"))) {
      // The key is the application, the second part the package.
      const [, name, version] = /^\s*"[^"]+":\s*\{:hex,\s*:"?([\w.-]+)"?,\s*"([^"]+)"/.exec(line) ?? [];
      if (name !== undefined && version !== undefined) packages.push({ type: "hex", name, version });
    }
    return { packages, errors: [] };
  },
};
