/**
 * PostgreSQL takes every character but NUL, and one in a container's label must not stop a whole node's records for
 * ever. It becomes U+FFFD, on the way in and in what is looked for.
 */
export function withoutNul(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\u{FFFD}") : text;
}
