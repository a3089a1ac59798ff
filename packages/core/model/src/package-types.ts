/** The type of its package URL where one is registered; `binary` is a program that was recognised by its own bytes. */
export const packageTypes = [
  "deb",
  "apk",
  "rpm",
  "alpm",
  "npm",
  "pypi",
  "conda",
  "golang",
  "cargo",
  "maven",
  "gem",
  "composer",
  "nuget",
  "pub",
  "hex",
  "swift",
  "cran",
  "bitnami",
  "binary",
] as const;
export type PackageType = (typeof packageTypes)[number];
