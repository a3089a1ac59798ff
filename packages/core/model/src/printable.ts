/**
 * Characters that change what a person sees without being seen: controls, joiners, directions of text and invisible marks
 * ("Trojan Source", CVE-2021-42574). The controls below a space stand apart: JSON escapes them by itself.
 */
const invisible = "\\u007F-\\u009F\\u00AD\\u061C\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFF9-\\uFFFB";
const hidden = new RegExp(`[\\u0000-\\u001F${invisible}]`, "g");
const hiddenInJson = new RegExp(`[${invisible}]`, "g");

/** A foreign text as one line that shows what is in it: no character of it reaches a terminal as a command. */
export function printable(text: string): string {
  return text.replaceAll(hidden, (mark) => {
    const code = mark.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** JSON for programs that a terminal or an editor may show: what changes the view without being seen is escaped, too. */
export function jsonText(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2));
}

/** The same on one line. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

function escaped(json: string): string {
  return `${json.replaceAll(hiddenInJson, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}
