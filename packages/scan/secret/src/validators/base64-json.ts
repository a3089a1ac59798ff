/** The part of a token that starts with `eyJ` is an object of JSON in base64. */
export function base64Json(token: string): boolean {
  const at = token.indexOf("eyJ");
  if (at < 0) return false;
  const text = Buffer.from(token.slice(at).split(/[^\w+/=-]/)[0] ?? "", "base64").toString("utf8");
  try {
    const value: unknown = JSON.parse(text.replace(/\}[^}]*$/, "}"));
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
