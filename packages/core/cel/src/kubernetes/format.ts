/** Named formats of strings (kubernetes.format). */
import { define, type Cost, type Overload } from "../environment.ts";
import { parseType, type Type } from "../types.ts";
import { CelValue, Optional, sizeOf } from "../values.ts";
import { parseUrl } from "./url.ts";

const type = parseType("kubernetes.NamedFormat");

class Format extends CelValue {
  readonly name: string;
  /** What is wrong with a text; nothing where all is well. */
  readonly validate: (text: string) => string[];
  /** Length of the pattern that costs are counted by. */
  readonly patternSize: number;
  constructor(name: string, patternSize: number, validate: (text: string) => string[]) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.validate = validate;
  }
  get type(): Type {
    return type;
  }
  equals(other: CelValue): boolean {
    return other instanceof Format && other.name === this.name;
  }
}

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const label1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const nameOrValue = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function named(what: string, pattern: RegExp, max: number): (text: string) => string[] {
  return (text) => [
    ...(Buffer.byteLength(text) > max ? [`must be no more than ${max} bytes`] : []),
    ...(pattern.test(text) ? [] : [`${what} must match ${pattern.source.replaceAll("(?:", "(")}`]),
  ];
}

/** A prefix may end in a dash: something follows. */
function prefix(validate: (text: string) => string[]): (text: string) => string[] {
  return (text) => validate(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);
}

function matching(pattern: RegExp, problem: string, holds: (text: string) => boolean = () => true) {
  return (text: string): string[] => (pattern.test(text) && holds(text) ? [] : [problem]);
}

const dnsLabel = named("a lowercase RFC 1123 label", label, 63);
const dnsSubdomain = named("a lowercase RFC 1123 subdomain", subdomain, 253);
const dns1035Label = named("a DNS-1035 label", label1035, 63);
const labelValue = (text: string): string[] => (text === "" ? [] : named("a valid label", nameOrValue, 63)(text));

function qualifiedName(text: string): string[] {
  const parts = text.split("/");
  const [first = "", second] = parts;
  if (parts.length > 2) return ["a qualified name has at most one slash"];
  const name = second ?? first;
  return [
    ...(second === undefined ? [] : first === "" ? ["prefix part must be non-empty"] : dnsSubdomain(first)),
    ...(name === "" ? ["name part must be non-empty"] : named("name part", nameOrValue, 63)(name)),
  ];
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const formats: Readonly<Record<string, Format>> = {
  dns1123Label: new Format("DNS1123Label", 30, dnsLabel),
  dns1123Subdomain: new Format("DNS1123Subdomain", 60, dnsSubdomain),
  dns1035Label: new Format("DNS1035Label", 30, dns1035Label),
  qualifiedName: new Format("QualifiedName", 60, qualifiedName),
  dns1123LabelPrefix: new Format("DNS1123LabelPrefix", 30, prefix(dnsLabel)),
  dns1123SubdomainPrefix: new Format("DNS1123SubdomainPrefix", 60, prefix(dnsSubdomain)),
  dns1035LabelPrefix: new Format("DNS1035LabelPrefix", 30, prefix(dns1035Label)),
  labelValue: new Format("LabelValue", 40, labelValue),
  uri: new Format("URI", 1103, (text) => (parseUrl(text) ? [] : ["invalid URI for request"])),
  uuid: new Format(
    "uuid",
    70,
    matching(/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i, "does not match the UUID format"),
  ),
  byte: new Format(
    "byte",
    84,
    matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/, "invalid base64"),
  ),
  date: new Format("date", 69, matching(/^\d{4}-\d\d-\d\d$/, "invalid date", isDate)),
  datetime: new Format(
    "datetime",
    69,
    matching(
      /^\d{4}-\d\d-\d\d[tT](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/,
      "invalid datetime",
      (text) => isDate(text.slice(0, 10)),
    ),
  ),
};

const validationCost: Cost = (_, format, text) =>
  Math.ceil((1 + sizeOf(text)) * 0.1) * Math.ceil((format instanceof Format ? format.patternSize : 1103) * 0.25);

function validate(format: Format, text: string): Optional {
  const problems = format.validate(text);
  return problems.length === 0 ? Optional.none : Optional.of(problems);
}

export const kubernetesFormat: readonly Overload[] = [
  define("format.named(string): optional<kubernetes.NamedFormat>", (name: string) => {
    const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
    return format ? Optional.of(format) : Optional.none;
  }),
  ...Object.entries(formats).map(([name, format]) => define(`format.${name}(): kubernetes.NamedFormat`, () => format)),
  define("(kubernetes.NamedFormat).validate(string): optional<list<string>>", validate, validationCost),
];
