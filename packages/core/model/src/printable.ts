/**
 * Characters that change what a person sees without being seen: controls, joiners, directions of text and invisible marks
 * ("Trojan Source", CVE-2021-42574).
 */
// oxlint-disable-next-line no-control-regex
const hidden = /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/g;

/** A foreign text as one line that shows what is in it: no character of it reaches a terminal as a command. */
export function printable(text: string): string {
  return text.replaceAll(hidden, (mark) => {
    const code = mark.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}
