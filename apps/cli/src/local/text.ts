import { printable } from "@bulwark/model/plain";

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
