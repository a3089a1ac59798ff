import { domainsOf } from "@bulwark/rules/run";
import { answerCode, questionName, type DnsRecord } from "@bulwark/sensor";
import type { Getter, Subject } from "./event.ts";

const of =
  (read: (record: DnsRecord) => string | readonly string[]): Getter =>
  ({ observation: { record } }) =>
    record?.type === "dns" ? read(record) : undefined;

/** Of an answer of a name server, and of a connection the names by which its container knows the other end. */
export const dnsFields: readonly (readonly [string, Getter])[] = [
  ["bulwark.dns.name", of(({ name }) => name)],
  ["bulwark.dns.domain", of(({ name }) => domainsOf(name))],
  ["bulwark.dns.kind", of(({ kind }) => questionName(kind))],
  ["bulwark.dns.code", of(({ code }) => answerCode(code))],
  ["bulwark.dns.answer", of(({ answers }) => answers)],
  ["fd.sip.name", namesOfPeer],
  ["fd.rip.name", namesOfPeer],
  ["bulwark.fd.domain", (subject) => namesOfPeer(subject)?.flatMap(domainsOf)],
];

function namesOfPeer({ observation: { record, table } }: Subject): readonly string[] | undefined {
  if (!record || !("remote" in record) || record.remote === null) return undefined;
  const names = table.names.of(record.networkNamespace, record.remote.ip);
  return names.length === 0 ? undefined : names;
}
