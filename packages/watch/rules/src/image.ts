/** The parts of an image's name: repository with registry, tag, digest. Absent parts are undefined. */
export function imageParts(name: string): { repository: string; tag: string | undefined; digest: string | undefined } {
  const [plain = "", digest] = name.split("@");
  const colon = plain.lastIndexOf(":");
  // A colon before a slash is the port of a registry.
  if (colon <= plain.lastIndexOf("/")) return { repository: plain, tag: undefined, digest };
  return { repository: plain.slice(0, colon), tag: plain.slice(colon + 1), digest };
}
