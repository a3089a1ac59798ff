const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Access keys of AWS that were made since 2019 hold the number of their account, which has twelve digits; older ones go
 * on with `I` or `J`. https://awsteele.com/blog/2020/09/26/aws-access-key-format.html
 */
export function awsAccount(key: string): boolean {
  const body = key.slice(4);
  let bits = 0n;
  for (const character of body.slice(0, 10)) {
    const value = alphabet.indexOf(character);
    if (value < 0) return false;
    bits = (bits << 5n) | BigInt(value);
  }
  // 50 bits; the first 48 are six bytes, of which the highest bit marks the format and the lowest seven are no account.
  if (bits >> 49n === 0n) return /^[IJ]/.test(body);
  const account = ((bits >> 2n) & 0x7fff_ffff_ff80n) >> 7n;
  return account < 1_000_000_000_000n;
}
