/** A structure that is cut off, contradicts itself or leads in circles. */
export class FormatError extends Error {}

/** Bytes `start` to `start + length`; raises where they are not all there. Nothing is copied. */
export function slice(data: Buffer, start: number, length: number, what: string): Buffer {
  if (start < 0 || length < 0 || start + length > data.length)
    throw new FormatError(`${what}: ${length} bytes at ${start} of ${data.length} are not there`);
  return data.subarray(start, start + length);
}

/** Up to the first zero byte. */
export function text(data: Buffer, start = 0): string {
  const end = data.indexOf(0, start);
  return data.toString("utf8", start, end < 0 ? data.length : end);
}

/** In an honest file no byte is of two parts: call it with the size of each. Raises when they are more than the whole. */
export function partsOf(whole: Buffer): (bytes: number) => void {
  let left = whole.length;
  return (bytes) => {
    left -= bytes;
    if (left < 0) throw new FormatError("its parts are larger than the whole");
  };
}
