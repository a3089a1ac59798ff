/** RFC 7519: a header that names its algorithm and claims that are an object, both JSON in base64url, and a signature. */
export function jwt(token: string): boolean {
  const [header, claims, signature] = token.split(".");
  if (signature === undefined || signature === "") return false;
  const head = json(header);
  return head !== undefined && typeof head["alg"] === "string" && head["alg"] !== "none" && json(claims) !== undefined;
}

/** As `jwt`, and issued by a Kubernetes API server to a service account. */
export function serviceAccountJwt(token: string): boolean {
  const claims = jwt(token) ? json(token.split(".")[1]) : undefined;
  if (!claims) return false;
  return claims["iss"] === "kubernetes/serviceaccount" || String(claims["sub"]).startsWith("system:serviceaccount:");
}

function json(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
