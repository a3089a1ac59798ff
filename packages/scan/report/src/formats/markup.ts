import { printable } from "@bulwark/model/plain";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A foreign text inside an element or a quoted attribute of XML or HTML; characters that XML has not are made visible. */
export function xml(text: string): string {
  return printable(text)
    .replaceAll(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\uFFFE\uFFFF]/g, "\uFFFD")
    .replaceAll(/[&<>"']/g, (mark) => entities[mark] ?? mark);
}
