import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Tx } from "../schema.ts";

/** Ids of Docker, containerd under Kubernetes, CRI-O and Podman: 256 random bits. Others are names, which nodes share. */
const random = /^[0-9a-f]{64}$/;
/** A node that said nothing for so long does not have its containers any more: it may come back under another name. */
const silence = 180_000;

/** What a batch says of containers. */
interface Mentions {
  /** Some are of no container, such as those of an audit log. */
  events: readonly object[];
  alerts: readonly { container: { id: string } | null }[];
  containers: readonly (
    | { kind: "put"; containers: readonly { id: string }[] }
    | { kind: "list"; running: readonly string[] }
  )[];
}

/** Raises `StoreError` `foreign` where a node speaks of a container that another node, which lives, told of first. */
export async function checkOwner(engine: Engine, tx: Tx, node: string, batch: Mentions, now: number): Promise<void> {
  const ids = new Set<string>();
  for (const event of batch.events) {
    const { container } = event as { container?: { id: string } | null };
    if (container) ids.add(container.id);
  }
  for (const { container } of batch.alerts) if (container) ids.add(container.id);
  for (const step of batch.containers) {
    if (step.kind === "list") for (const id of step.running) ids.add(id);
    else for (const { id } of step.containers) ids.add(id);
  }
  const mentioned = [...ids].filter((id) => random.test(id));
  if (mentioned.length === 0) return;
  const { rows } = await sql<{ id: string; node: string }>`
    select id, node from containers as foreign_one
    where id in ${engine.list(mentioned)} and node <> ${node}
      and not exists (select 1 from containers as own where own.node = ${node} and own.id = foreign_one.id)
      and exists (select 1 from components where components.node = foreign_one.node and updated_at > ${now - silence})
    limit 1`.execute(tx);
  const [found] = rows;
  if (!found) return;
  throw new StoreError("foreign", `${node} speaks of the container ${found.id.slice(0, 12)}, which ${found.node} has`, {
    remedy: `see whether somebody else is on ${node}, or whether two agents run on one machine`,
  });
}
