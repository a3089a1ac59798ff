import { parseArgs } from "node:util";
import type { Grain } from "@bulwark/flow";
import { loadFiles, type Cluster } from "@bulwark/netpol";
import { UsageError } from "../local/options.ts";

const options = {
  flows: { type: "string", multiple: true },
  manifests: { type: "string", multiple: true },
  policies: { type: "string", multiple: true },
  baseline: { type: "string", multiple: true },
  list: { type: "string", multiple: true },
  "fail-on": { type: "string" },
  grain: { type: "string" },
  names: { type: "boolean" },
  "without-dns": { type: "boolean" },
  "ip-block-skips-pods": { type: "boolean" },
  format: { type: "string" },
} as const;

const lists = ["flows", "manifests", "policies", "baseline", "list"] as const;
export type Values = ReturnType<typeof readValues>;

/** All names after `--flows`, `--manifests` and their kin belong to it, so that a shell can expand a pattern there. */
export function readValues(
  args: string[],
  formats: readonly string[],
): {
  readonly flows: readonly string[];
  readonly manifests: readonly string[];
  readonly policies: readonly string[];
  readonly baseline: readonly string[];
  readonly list: readonly string[];
  readonly grain: string;
  readonly names: boolean;
  readonly withoutDns: boolean;
  readonly ipBlockSkipsPods: boolean;
  readonly format: string;
  readonly failOn: string;
} {
  const { values, tokens } = parseArgs({ args, options, allowPositionals: true, tokens: true });
  const files: Record<(typeof lists)[number], string[]> = {
    flows: [],
    manifests: [],
    policies: [],
    baseline: [],
    list: [],
  };
  let list: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (!list)
        throw new UsageError("usage", `${token.value}: what is it?`, {
          remedy: "--flows FILE…; bulwark network --help",
        });
      list.push(token.value);
    }
    const name = token.kind === "option" ? lists.find((name) => name === token.name) : undefined;
    if (token.kind === "option") list = name === undefined ? undefined : files[name];
    if (token.kind === "option" && name !== undefined && token.value !== undefined) files[name].push(token.value);
  }
  if (files.flows.length === 0) {
    throw new UsageError("usage", "needs --flows FILE", { remedy: "logs of Hubble, Calico, Envoy, Suricata or Zeek" });
  }
  const format = values.format ?? formats[0] ?? "";
  if (!formats.includes(format)) {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: formats.join(" or ") });
  }
  return {
    ...files,
    grain: values.grain ?? "workload",
    names: values.names === true,
    withoutDns: values["without-dns"] === true,
    ipBlockSkipsPods: values["ip-block-skips-pods"] === true,
    format,
    failOn: values["fail-on"] ?? "low",
  };
}

export function clusterOf(manifests: readonly string[]): Cluster {
  return manifests.length === 0 ? { namespaces: [], pods: [], policies: [] } : loadFiles(manifests).cluster;
}

export function grainOf(text: string): Grain {
  if (text === "namespace" || text === "workload" || text === "pod") return text;
  throw new UsageError("usage", `--grain ${text}: no such grain`, { remedy: "namespace, workload or pod" });
}
