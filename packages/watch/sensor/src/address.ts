/**
 * An Internet address of 4 or 16 bytes as text, IPv6 as RFC 5952 section 4 writes it. An IPv4 address inside of IPv6
 * (`::ffff:0:0/96`, what a socket for both sees) is written as IPv4, so that one peer has one name.
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0)) {
    return bytes.subarray(12).join(".");
  }
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const [start, length] = longestZeros(groups);
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function hex(groups: number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** Start and length of the first of the longest runs of zeros. */
function longestZeros(groups: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let run = 0;
  groups.forEach((group, index) => {
    run = group === 0 ? run + 1 : 0;
    if (run > best[1]) best = [index - run + 1, run];
  });
  return best;
}
