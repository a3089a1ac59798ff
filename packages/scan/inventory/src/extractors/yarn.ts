import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/**
 * `yarn.lock` of Yarn 1 (https://classic.yarnpkg.com/lang/en/docs/yarn-lock/) and of Berry, which is YAML of the same
 * outline: what was asked for, a colon, and indented what it came to.
 */
export const yarn: Extractor = {
  name: "yarn",
  kind: "locked",
  limit: 64 * megabyte,
  files: { names: ["yarn.lock"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    for (const { asked, fields } of entries(content.toString("utf8"))) {
      if (asked === "__metadata" || fields.get("linkType") === "soft") continue;
      const version = fields.get("version");
      const name = nameOf(fields.get("resolution") ?? asked.split(", ")[0] ?? "");
      if (version === undefined || name === undefined) errors.push(`no version of ${asked.slice(0, 200)}`);
      else if (!/@(?:file|link|portal|workspace):/.test(asked)) packages.push({ type: "npm", name, version });
    }
    return { packages, errors };
  },
};

interface Entry {
  asked: string;
  fields: Map<string, string>;
}

function* entries(text: string): Generator<Entry> {
  let entry: Entry | undefined;
  for (const line of lines(text)) {
    if (line === "" || line.startsWith("#")) continue;
    if (line[0] !== " ") {
      if (entry) yield entry;
      entry = { asked: line.replace(/:$/, "").replaceAll('"', ""), fields: new Map() };
    } else {
      const [, key, value] = /^ {2}([a-zA-Z]+):? (.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) entry?.fields.set(key, value.replaceAll('"', ""));
    }
  }
  if (entry) yield entry;
}

/** `@babel/core@npm:^7.0.0`, `lodash@^4`; `alias@npm:real@^1` is `real`. */
function nameOf(asked: string): string | undefined {
  const [, name, alias] = /^((?:@[^/@]+\/)?[^@]+)@(?:npm:((?:@[^/@]+\/)?[^@^~<>=*\d][^@]*)@)?/.exec(asked) ?? [];
  return alias ?? name;
}
