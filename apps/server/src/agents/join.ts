import type { Response, Routes } from "@bulwark/contract";
import {
  createJoinToken,
  formatJoinToken,
  hashJoinSecret,
  IdentityError,
  parseJoinToken,
  type JoinToken,
} from "@bulwark/identity";
import { KubeError } from "@bulwark/kube";
import { agentName, collectorOf, nodeIdOf, nodeName, splitNodeId } from "@bulwark/model";
import type { AgentCertificate, EnrolRefusal } from "@bulwark/store";
import type { Context } from "../context.ts";
import { addressKey } from "../auth/throttle.ts";
import { count } from "../http/figures.ts";
import { Refusal } from "../http/problem.ts";
import type { AgentGate } from "./gate.ts";

const hour = 3_600_000;

export interface JoinTokenOptions {
  /** Good for this node once. Absent: for every node that has no agent. */
  node?: string | undefined;
  cluster: string;
  hours: number;
}

/** A token with which agents join. Refuses with `conflict` where agents cannot connect. */
export async function addJoinToken(
  { node, cluster, hours }: JoinTokenOptions,
  actor: string,
  address: string,
  context: Context,
): Promise<{ token: string; expiresAt: number }> {
  const { authority } = gateOf(context);
  const now = Date.now();
  const expiresAt = now + hours * hour;
  const token = createJoinToken(authority.fingerprint);
  const hash = hashJoinSecret(token.secret);
  await context.store.agents.addJoinToken({
    id: token.id,
    hash,
    cluster,
    node: node ?? null,
    createdAt: now,
    expiresAt,
  });
  const entry = {
    time: now,
    actor,
    action: "join-token.create",
    target: node === undefined ? cluster : nodeIdOf(cluster, node),
    address,
  };
  await context.store.audit.append({ ...entry, detail: { id: token.id, cluster, hours } });
  return { token: formatJoinToken(token), expiresAt };
}

export const joinsByToken = "Nodes join by the token of their pod";

type Granted = Response<Routes["enrol"]>;

/** A certificate for a token. What a stranger can try is slowed by his address. */
export async function enrol(
  asked: { token: string; node: string; request: string },
  address: string,
  context: Context,
): Promise<Granted> {
  const now = Date.now();
  const keys = [`join:${addressKey(address)}`];
  const wait = context.throttle.attempt(keys, now);
  if (wait > 0) throw new Refusal("too-many", "too many refused tokens", { retryAfter: Math.ceil(wait / 1000) });
  if (context.serviceAccounts && isJwt(asked.token)) return enrolPod(asked, address, keys, context);
  const { id, secret } = tokenOf(asked.token);
  const hash = hashJoinSecret(secret);
  const known = await context.store.agents.joinToken(id, now);
  if (!known || known.hash !== hash) return refuse("unknown-token", asked.node, address, context);
  const node = agentName.parse(asked.node);
  // What tells of a cluster is not of a node: it comes in as its own cluster's, and as no other's.
  if (!nodeName.safeParse(node).success && node !== collectorOf(known.cluster)) {
    return refuse("other-cluster", node, address, context);
  }
  const certificate = await issue(asked.request, { node, cluster: known.cluster, address }, context, now);
  const reason = await context.store.agents.enrol({ token: { id, hash }, certificate: certificate.row }, now);
  if (reason !== null) return refuse(reason, node, address, context);
  context.throttle.succeeded(keys);
  count.enrolments.inc({ result: "joined" });
  const target = nodeIdOf(known.cluster, node);
  const entry = { time: now, actor: `join-token:${id}`, action: "agent.join", target, address };
  await context.store.audit.append({
    ...entry,
    detail: { cluster: known.cluster, fingerprint: certificate.row.fingerprint },
  });
  return { certificate: certificate.pem, cluster: known.cluster };
}

/** Of Kubernetes: three parts in base64. A join token of ours has none of the dots. */
function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/**
 * A certificate for the pod of the agents' service account, as the node that Kubernetes says it runs on and no other. A
 * node whose agent was revoked stays out: somebody has to make a token for it.
 */
async function enrolPod(
  asked: { token: string; node: string; request: string },
  address: string,
  keys: string[],
  context: Context,
): Promise<Granted> {
  const { store, config, throttle } = context;
  const now = Date.now();
  const node = await nodeOfPod(asked.token, context);
  if (node === undefined) return refuse("unknown-token", asked.node, address, context);
  if (node !== asked.node) return refuse("other-node", asked.node, address, context);
  const cluster = config.server.kubernetes.name;
  const before = (await store.agents.list(now)).find((agent) => agent.node === node && agent.cluster === cluster);
  if (before && before.revokedAt !== null) return refuse("revoked", node, address, context);
  // A token for this very node that nobody else ever sees: from here on it is as with any other.
  const { id, secret } = createJoinToken(gateOf(context).authority.fingerprint);
  const hash = hashJoinSecret(secret);
  await store.agents.addJoinToken({ id, hash, cluster, node, createdAt: now, expiresAt: now + 60_000 });
  const certificate = await issue(asked.request, { node, cluster, address }, context, now);
  const reason = await store.agents.enrol({ token: { id, hash }, certificate: certificate.row }, now);
  if (reason !== null) return refuse(reason, node, address, context);
  throttle.succeeded(keys);
  count.enrolments.inc({ result: "joined" });
  const target = nodeIdOf(cluster, node);
  const entry = { time: now, actor: "service-account", action: "agent.join", target, address };
  await store.audit.append({ ...entry, detail: { cluster, fingerprint: certificate.row.fingerprint } });
  return { certificate: certificate.pem, cluster };
}

/** As the API server knows it. Where that cannot be asked it is said, here and in health. */
async function nodeOfPod(token: string, { serviceAccounts, health }: Context): Promise<string | undefined> {
  const part = { id: "service-accounts" };
  try {
    const node = await serviceAccounts?.nodeOf(token);
    health.report({ ...part, state: "ok", summary: joinsByToken });
    return node;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const { message: reason, remedy = "" } = error;
    health.report({ ...part, state: "failed", summary: "New nodes cannot join", reason, remedy });
    throw new Refusal("unavailable", "the API server could not be asked whose token it is", {
      remedy: "see under service-accounts in the server's health",
    });
  }
}

/** A further certificate for an agent that has one. The old one stays good until its time is over. */
export async function renew(
  request: string,
  held: AgentCertificate,
  address: string,
  context: Context,
): Promise<Granted> {
  const { node, cluster } = held;
  const { pem, row } = await issue(request, { node, cluster, address }, context, Date.now());
  await context.store.agents.renew(row);
  count.enrolments.inc({ result: "renewed" });
  return { certificate: pem, cluster };
}

/** How many certificates of a node were revoked. In effect with the agent's next request, at whichever replica. */
export async function revoke(id: string, actor: string, address: string, context: Context): Promise<number> {
  const now = Date.now();
  const { cluster, name: node } = splitNodeId(id);
  const revoked = await context.store.agents.revoke({ cluster, node }, now);
  if (revoked === 0) return 0;
  const entry = { time: now, actor, action: "agent.revoke", target: id, address };
  await context.store.audit.append({ ...entry, detail: { certificates: revoked } });
  return revoked;
}

function gateOf({ gate }: Pick<Context, "gate">): AgentGate {
  if (gate) return gate;
  throw new Refusal("conflict", "agents of other machines cannot connect to this server", {
    remedy: "run bulwark serve, or set server.agents in bulwark.yaml",
  });
}

async function issue(
  request: string,
  { node, cluster, address }: { node: string; cluster: string; address: string },
  context: Context,
  now: number,
): Promise<{ pem: string; row: AgentCertificate }> {
  const days = context.config.server.agents?.certificateDays ?? 7;
  try {
    const issued = await gateOf(context).authority.issueAgent(request, { node, cluster }, days, now);
    const { certificate: pem, ...rest } = issued;
    return { pem, row: { ...rest, node, cluster, issuedAt: now, revokedAt: null, seenAt: null, address } };
  } catch (error) {
    if (error instanceof IdentityError) throw new Refusal("invalid", error.message);
    throw error;
  }
}

function tokenOf(text: string): JoinToken {
  try {
    return parseJoinToken(text);
  } catch {
    throw new Refusal("unauthenticated", "this is no join token");
  }
}

const refusals: Record<
  EnrolRefusal | "other-cluster" | "revoked",
  [code: "unauthenticated" | "forbidden" | "conflict", message: string, remedy: string]
> = {
  "unknown-token": [
    "unauthenticated",
    "the join token is not known, or its time is over",
    "make a new one: bulwark join",
  ],
  "other-node": ["forbidden", "the join token is for another node", "make one for this node: bulwark join NODE"],
  "other-cluster": [
    "forbidden",
    "the join token is for another cluster",
    "make one for this cluster: bulwark join --any --cluster NAME",
  ],
  revoked: [
    "forbidden",
    "the agent of this node was revoked",
    "when the node is to be trusted again: give it a token of bulwark join NODE",
  ],
  used: ["forbidden", "the join token has been used by another agent", "make a new one: bulwark join NODE"],
  taken: [
    "conflict",
    "this node has an agent already",
    "make a token for this very node (bulwark join NODE), or revoke the other agent first (bulwark agents revoke NODE)",
  ],
};

async function refuse(
  reason: EnrolRefusal | "other-cluster" | "revoked",
  node: string,
  address: string,
  context: Context,
): Promise<never> {
  count.enrolments.inc({ result: "refused" });
  const entry = { time: Date.now(), actor: "", action: "agent.refused", target: node.slice(0, 256), address };
  await context.store.audit.append({ ...entry, detail: { reason } });
  const [code, message, remedy] = refusals[reason];
  throw new Refusal(code, message, { remedy });
}
