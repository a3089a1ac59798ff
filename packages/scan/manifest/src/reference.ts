/** An image reference in its parts: `ghcr.io/shop/web:1.2@sha256:…`. Tag and digest are empty where they are not given. */
export function splitReference(reference: string): { name: string; tag: string; digest: string } {
  const [rest = "", digest = ""] = reference.split("@", 2);
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  return colon < 0
    ? { name: rest, tag: "", digest }
    : { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}
