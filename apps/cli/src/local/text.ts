import { printable } from "@bulwark/model";

export { printable };

/** Cut to a width, the cut shown. */
export function fit(text: string, width: number): string {
  const clean = printable(text);
  return clean.length <= width ? clean.padEnd(width) : `${clean.slice(0, width - 1)}…`;
}

/** One line that is written over again and again, on a terminal only. */
export function progress(stream: NodeJS.WritableStream): { show(text: string): void; clear(): void } {
  const terminal = "isTTY" in stream && stream.isTTY === true;
  return {
    show(text) {
      if (terminal) stream.write(`\r\u001B[K${printable(text).slice(0, 79)}`);
    },
    clear() {
      if (terminal) stream.write("\r\u001B[K");
    },
  };
}

/** Bytes that a terminal would obey are escaped by JSON itself, but for two ranges. */
export function jsonText(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2));
}

/** One value a line. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

function escaped(json: string): string {
  return `${json.replaceAll(/[\u007f-\u009f]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`)}\n`;
}
