import type { Context } from "../context.ts";
import { createTokenSecret, hashSecret } from "./secrets.ts";

const year = 365 * 86_400_000;

/** The secret of a token that lets an agent send the records of `node`, and only of it. A node has one token. */
export async function addAgentToken(node: string, { store }: Context): Promise<string> {
  const now = Date.now();
  const before = (await store.accounts.tokens()).filter((token) => token.scope === "agent" && token.node === node);
  const { id, text } = createTokenSecret();
  const times = { createdAt: now, expiresAt: now + year, lastUsedAt: null };
  const hash = hashSecret(text);
  await store.accounts.addToken({ id, node, hash, name: `agent of ${node}`, scope: "agent", ...times });
  for (const token of before) await store.accounts.deleteToken(token.id);
  const entry = { time: now, actor: "server", action: "agent-token.create", target: node, detail: { id }, address: "" };
  await store.audit.append(entry);
  return text;
}
