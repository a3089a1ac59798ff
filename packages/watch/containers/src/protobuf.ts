/**
 * Fields of Protocol Buffers messages, read without their schema: the last one with a number where there are several,
 * undefined where there is none or the message is broken. https://protobuf.dev/programming-guides/encoding/
 */

export function stringField(message: Buffer | undefined, field: number): string | undefined {
  const found = message && lastOf(message, field);
  return Buffer.isBuffer(found) ? found.toString("utf8") : undefined;
}

export function numberField(message: Buffer | undefined, field: number): number | undefined {
  const found = message && lastOf(message, field);
  return typeof found === "number" ? found : undefined;
}

function lastOf(message: Buffer, field: number): Buffer | number | undefined {
  let found: Buffer | number | undefined;
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
    const isIt = Math.floor(tag / 8) === field;
    const type = tag % 8;
    if (type === 0) {
      const value = varint();
      if (isIt) found = value;
    } else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      if (length > message.length - at) return undefined;
      if (isIt) found = message.subarray(at, at + length);
      at += length;
    } else return undefined;
  }
  return found;
}
