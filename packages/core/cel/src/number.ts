/** As Go's `%g` writes a double: the fewest digits that give it back, with an exponent below 1e-4 and from 1e6. */
export function formatDouble(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const [mantissa = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return plainDouble(value);
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Without an exponent, however long that gets. */
export function plainDouble(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  if (!text.includes("e")) return text;
  const [mantissa = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  return exponent > 0 ? BigInt(value).toString() : value.toFixed(Math.min(100, digitsOf(mantissa) - 1 - exponent));
}

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Object.is(value, -0) ? "-0" : undefined;
}

function digitsOf(mantissa: string): number {
  return mantissa.replaceAll(/[-.]/g, "").length;
}
