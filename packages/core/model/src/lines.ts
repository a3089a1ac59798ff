/** Longest line that is taken. Suricata's longest events are some hundred KB. */
export const longestLine = 1024 * 1024;

/**
 * Lines of a stream of bytes, with their numbers from 1. One that is too long is given as undefined, and no more of it
 * is held than the bound.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ number: number; line: string | undefined }> {
  let held: Uint8Array[] = [];
  let size = 0;
  let number = 0;
  const take = (): { number: number; line: string | undefined } => {
    number++;
    const line = size > longestLine ? undefined : textOf(held, size).replace(/\r$/, "");
    held = [];
    size = 0;
    return { number, line };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, at));
      from = at + 1;
      yield take();
    }
    hold(chunk.subarray(from));
  }
  if (size > 0) yield take();

  function hold(part: Uint8Array): void {
    size += part.length;
    if (size > longestLine) held = [];
    else if (part.length > 0) held.push(part);
  }
}

const decoder = new TextDecoder();

function textOf(parts: readonly Uint8Array[], size: number): string {
  if (parts.length <= 1) return decoder.decode(parts[0]);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return decoder.decode(whole);
}
