/** Bytes that a terminal would obey are escaped by JSON itself, but for two ranges. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replaceAll(/[\u007f-\u009f]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`)}\n`;
}
