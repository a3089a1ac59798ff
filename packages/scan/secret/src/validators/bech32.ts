const alphabet = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** The checksum of Bech32 (BIP 173), as secret keys of age have it. */
export function bech32(text: string): boolean {
  const split = text.lastIndexOf("1");
  const prefix = text.slice(0, split).toLowerCase();
  const data = [...text.slice(split + 1).toUpperCase()].map((character) => alphabet.indexOf(character));
  if (split < 1 || data.length < 6 || data.includes(-1)) return false;
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return polymod([...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...data]) === 1;
}

function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    generator.forEach((word, bit) => {
      if ((top >> bit) & 1) checksum ^= word;
    });
  }
  return checksum >>> 0;
}
