/** What the specification asks of a type beyond the common rules: https://github.com/package-url/purl-spec/tree/main/types */
export interface TypeRule {
  /** Parts that are not case-sensitive, and lower case when canonical. */
  lower?: readonly ("namespace" | "name" | "version")[];
  /** Further changes of the name. */
  name?: (name: string, qualifiers: Readonly<Record<string, string>>) => string;
  /** The name is a path: the namespace is the first segment, and the slashes of the name stay. */
  path?: true;
  /** Whether there may, or must, be a namespace. Where nothing is said there may. */
  namespace?: "required" | "prohibited";
  /** Qualifiers that must be there. */
  qualifiers?: readonly string[];
  /** What the name and the version must look like. */
  valid?: { name?: RegExp; version?: RegExp };
}

const both = ["namespace", "name"] as const;

export const typeRules: Readonly<Record<string, TypeRule>> = {
  alpm: { lower: both },
  apk: { lower: both },
  bitbucket: { lower: both },
  bitnami: { lower: ["name"] },
  brew: { lower: both },
  "chrome-extension": { valid: { name: /^[a-p]{32}$/, version: /^\d+(?:\.\d+){0,3}$/ } },
  composer: { lower: both },
  cpan: { valid: { name: /^(?!.*::)/ } },
  deb: { lower: both },
  git: { lower: both, path: true },
  github: { lower: both },
  gitlab: { lower: both },
  golang: { lower: both },
  hex: { lower: both },
  huggingface: { lower: ["version"] },
  julia: { qualifiers: ["uuid"] },
  luarocks: { lower: both },
  mlflow: {
    name: (name, { repository_url = "" }) => (repository_url.includes("databricks") ? name.toLowerCase() : name),
  },
  npm: { lower: both },
  oci: { lower: ["name"] },
  otp: { lower: ["name"], namespace: "prohibited" },
  pub: { lower: ["name"], name: (name) => name.replaceAll(/[^a-z0-9_]/g, "_") },
  pypi: { lower: ["name"], name: (name) => name.replaceAll("_", "-") },
  qpkg: { lower: ["namespace"] },
  rpm: { lower: ["namespace"] },
  swift: { namespace: "required" },
  vcpkg: { namespace: "prohibited" },
  "vscode-extension": { lower: both, namespace: "required" },
};
