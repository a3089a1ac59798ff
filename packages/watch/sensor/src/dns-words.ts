/** https://www.iana.org/assignments/dns-parameters: types and codes that are met. */
const questions: Record<number, string> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  10: "NULL",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  64: "SVCB",
  65: "HTTPS",
  255: "ANY",
};
const codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** What was asked for: `A`. */
export function questionName(kind: number): string {
  return questions[kind] ?? `TYPE${kind}`;
}

/** How it was answered: `NXDOMAIN`. */
export function answerCode(code: number): string {
  return codes[code] ?? `RCODE${code}`;
}
