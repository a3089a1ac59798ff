import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { printable } from "@bulwark/model";
import { Document, isNode, stringify } from "yaml";
import { evidenceText } from "./evidence.ts";
import type { Labels } from "./labels.ts";
import type { Candidate, Peer, Port, Rule } from "./learn.ts";

export interface WriteOptions {
  /** Whether every policy lets its pods ask the cluster's name server, seen or not. True when absent. */
  readonly dns?: boolean;
}

/** A policy as the API server takes it, and what stands beside its rules in the file. */
export interface WrittenPolicy {
  readonly object: PolicyObject;
  readonly comments: readonly { readonly path: readonly (string | number)[]; readonly text: string }[];
}

interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: "NetworkPolicy" | "CiliumNetworkPolicy";
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Labels };
  readonly spec: Readonly<Record<string, unknown>>;
}

type Part = readonly [rule: object, comment: string];

/**
 * Candidates as NetworkPolicies, and beside them a CiliumNetworkPolicy for peers by name, where there are such. In a
 * stable order: the same flows give the same text.
 */
export function writePolicies(candidates: readonly Candidate[], { dns = true }: WriteOptions = {}): WrittenPolicy[] {
  const taken = new Set<string>();
  return candidates.flatMap((candidate) => {
    const { namespace, name } = candidate.subject;
    const given = uniqueName(taken, namespace, `learned-${name}`);
    const byName = candidate.egress.filter(({ peer }) => peer.kind === "name");
    const written = [networkPolicy(candidate, given, dns)];
    if (byName.length > 0) written.push(ciliumPolicy(candidate, byName, given));
    return written;
  });
}

/** The YAML of policies, each a document. */
export function policiesText(policies: readonly WrittenPolicy[]): string {
  return policies.map(({ object, comments }) => `---\n${documentText(object, comments)}`).join("");
}

function documentText(object: PolicyObject, comments: WrittenPolicy["comments"]): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  for (const { path, text } of comments) {
    const node = document.getIn(path, true);
    if (isNode(node)) node.commentBefore = ` ${printable(text)}`;
  }
  return stringify(document, { lineWidth: 0 });
}

function networkPolicy({ subject, ingress, egress }: Candidate, name: string, dns: boolean): WrittenPolicy {
  const into = kubernetesRules(ingress, "from");
  const out = kubernetesRules(egress, "to");
  if (dns) out.push(nameServer);
  return {
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadata(name, subject.namespace),
      spec: {
        podSelector: selectorOf(subject.selector ?? {}),
        policyTypes: ["Ingress", "Egress"],
        ...(into.length > 0 ? { ingress: into.map(([rule]) => rule) } : {}),
        ...(out.length > 0 ? { egress: out.map(([rule]) => rule) } : {}),
      },
    },
    comments: [...commentsOf("ingress", into), ...commentsOf("egress", out)],
  };
}

function kubernetesRules(rules: readonly Rule[], side: "from" | "to"): Part[] {
  const parts: Part[] = [];
  const addresses = new Map<string, Rule[]>();
  for (const rule of rules) {
    if (rule.peer.kind === "name") continue;
    if (rule.peer.kind === "group") {
      const { namespace, name } = rule.peer.group;
      parts.push([
        { [side]: [peerOf(rule.peer)], ports: portsOf(rule.ports) },
        `${namespace}${name === namespace ? "" : `/${name}`}; ${evidenceText(rule.evidence)}`,
      ]);
    } else {
      const key = JSON.stringify(rule.ports);
      addresses.set(key, [...(addresses.get(key) ?? []), rule]);
    }
  }
  // Addresses with the same ports share a rule.
  for (const same of addresses.values()) {
    const names = [...new Set(same.flatMap(({ evidence }) => [...evidence.names]))].sort().slice(0, 8);
    const [first] = same;
    if (!first) continue;
    const total = same.slice(1).reduce((sum, { evidence }) => sum + evidence.connections, 0);
    const evidence = {
      ...first.evidence,
      connections: first.evidence.connections + total,
      first: Math.min(...same.map((rule) => rule.evidence.first)),
      last: Math.max(...same.map((rule) => rule.evidence.last)),
    };
    parts.push([
      { [side]: same.map(({ peer }) => peerOf(peer)), ports: portsOf(first.ports) },
      `outside${names.length === 0 ? "" : ` (${names.join(", ")})`}; ${evidenceText(evidence)}`,
    ]);
  }
  return parts;
}

function peerOf(peer: Peer): object {
  if (peer.kind !== "group") {
    const ip = peer.kind === "address" ? peer.ip : "";
    return { ipBlock: { cidr: `${ip}/${isIPv6(ip) ? 128 : 32}` } };
  }
  const { namespace, selector } = peer.group;
  return {
    namespaceSelector: selectorOf({ "kubernetes.io/metadata.name": namespace }),
    ...(selector && Object.keys(selector).length > 0 ? { podSelector: selectorOf(selector) } : {}),
  };
}

const nameServer: Part = [
  {
    to: [
      {
        namespaceSelector: selectorOf({ "kubernetes.io/metadata.name": "kube-system" }),
        podSelector: selectorOf({ "k8s-app": "kube-dns" }),
      },
    ],
    ports: portsOf([
      { port: 53, protocol: "UDP" },
      { port: 53, protocol: "TCP" },
    ]),
  },
  "the cluster's name server, seen or not",
];

/** docs.cilium.io, "DNS based": names are known from answers that pass Cilium's proxy, hence the rule for DNS. */
function ciliumPolicy({ subject }: Candidate, rules: readonly Rule[], name: string): WrittenPolicy {
  const parts: Part[] = rules.map(({ peer, ports, evidence }) => [
    {
      toFQDNs: [{ matchName: peer.kind === "name" ? peer.name : "" }],
      toPorts: [{ ports: ports.map(({ port, protocol }) => ({ port: String(port), protocol })) }],
    },
    evidenceText(evidence),
  ]);
  const dns: Part = [
    {
      toEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": "kube-dns" } }],
      toPorts: [{ ports: [{ port: "53", protocol: "ANY" }], rules: { dns: [{ matchPattern: "*" }] } }],
    },
    "answers for the names above",
  ];
  const all = [...parts, dns];
  return {
    object: {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: metadata(name, subject.namespace),
      spec: { endpointSelector: selectorOf(subject.selector ?? {}), egress: all.map(([rule]) => rule) },
    },
    comments: commentsOf("egress", all),
  };
}

function commentsOf(field: string, parts: readonly Part[]): WrittenPolicy["comments"] {
  return parts.map(([, text], index) => ({ path: ["spec", field, index], text }));
}

function metadata(name: string, namespace: string): PolicyObject["metadata"] {
  return { name, namespace, labels: { "app.kubernetes.io/managed-by": "bulwark" } };
}

function selectorOf(labels: Labels): object {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: labels };
}

function portsOf(ports: readonly Port[]): object[] {
  return ports.map(({ port, protocol }) => ({ protocol, port }));
}

/** Objects of the API have names of at most 253 characters; two of a namespace never have the same. */
function uniqueName(taken: Set<string>, namespace: string, wanted: string): string {
  let name = wanted;
  if (name.length > 253)
    name = `${wanted.slice(0, 240)}-${createHash("sha256").update(wanted).digest("hex").slice(0, 8)}`;
  for (let number = 2; taken.has(`${namespace}/${name}`); number++) name = `${wanted.slice(0, 240)}-${number}`;
  taken.add(`${namespace}/${name}`);
  return name;
}
