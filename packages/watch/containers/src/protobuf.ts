/**
 * The string with a field number of a Protocol Buffers message, read without its schema; the last one where there are
 * several, undefined where there is none or the message is broken. https://protobuf.dev/programming-guides/encoding/
 */
export function stringField(message: Buffer | undefined, field: number): string | undefined {
  if (!message) return undefined;
  let found: string | undefined;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length && factor <= 2 ** 63; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      if (length > message.length - at) return undefined;
      if (Math.floor(tag / 8) === field) found = message.toString("utf8", at, at + length);
      at += length;
    } else return undefined;
  }
  return found;
}
