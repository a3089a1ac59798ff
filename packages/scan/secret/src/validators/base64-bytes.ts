/** Base64 of 64 bytes: keys of Azure's storage and Cosmos accounts. */
export function base64Of64(text: string): boolean {
  return Buffer.from(text, "base64").length === 64;
}

/** Base64 of 32 bytes: keys of WireGuard, shared keys of Azure. */
export function base64Of32(text: string): boolean {
  return Buffer.from(text, "base64").length === 32;
}

/** Base64 of `name:password`, as HTTP's basic authentication and Docker's configuration have it. */
export function basicAuth(text: string): boolean {
  return /^[\x20-\x39\x3b-\x7e]*:[\x20-\x7e]{3,}$/.test(Buffer.from(text, "base64").toString("latin1"));
}
