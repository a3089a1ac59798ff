import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from "@nats-io/jetstream";
import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import { connect, nanos } from "@nats-io/transport-node";
import { BulwarkError, errorText } from "@bulwark/model";
import { attempts, retryDelays, type Bus, type Messages, type Subject } from "./bus.ts";

export class BusError extends BulwarkError<"unavailable"> {}

/** One stream for all: a day, or a gigabyte, whatever comes first. Live messages are of no use later than that. */
const stream = {
  name: "bulwark",
  subjects: ["bulwark.>"],
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_age: nanos(86_400_000),
  max_bytes: 1_000_000_000,
};
/** A worker that says nothing for so long is taken for dead, and another gets its message. */
const ackWait = 60_000;

/** Raises `BusError` where the server does not answer now; later breaks are mended by reconnecting for ever. */
export async function openNatsBus(url: string): Promise<Bus> {
  const connection = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    timeout: 5000,
  }).catch((error: unknown) => {
    throw new BusError("unavailable", `NATS does not answer at ${hostOf(url)}: ${errorText(error)}`, {
      remedy: "check server.nats (NATS_URL); nats-server needs JetStream (-js)",
      cause: error,
    });
  });
  const manager = await jetstreamManager(connection);
  await manager.streams.add(stream).catch(async () => manager.streams.update(stream.name, stream));
  const client = jetstream(connection);
  let abandoned = 0;

  async function consume(messages: ConsumerMessages, handle: (message: JsMsg) => Promise<void>): Promise<void> {
    for await (const message of messages) await handle(message);
  }

  return {
    kind: "nats",
    get abandoned() {
      return abandoned;
    },
    async publish(subject, message) {
      const data = JSON.stringify(message);
      await client.publish(`bulwark.${subject}`, data, { retries: 10 });
    },
    async subscribe<S extends Subject>(subject: S, handler: (message: Messages[S], id: number) => void) {
      const consumer = await client.consumers.get(stream.name, {
        filter_subjects: `bulwark.${subject}`,
        deliver_policy: DeliverPolicy.New,
      });
      const messages = await consumer.consume();
      const done = consume(messages, async (message) => handler(message.json<Messages[S]>(), message.seq));
      return {
        async [Symbol.asyncDispose]() {
          await messages.close();
          await done;
        },
      };
    },
    async work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>) {
      const name = `work-${subject.replaceAll(".", "-")}`;
      await manager.consumers.add(stream.name, {
        durable_name: name,
        filter_subject: `bulwark.${subject}`,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWait),
        max_deliver: attempts,
      });
      const consumer = await client.consumers.get(stream.name, name);
      const messages = await consumer.consume({ max_messages: 1 });
      const done = consume(messages, async (message) => {
        const alive = setInterval(() => message.working(), ackWait / 3);
        try {
          await handler(message.json<Messages[S]>());
          message.ack();
        } catch {
          const delivery = message.info.deliveryCount;
          if (delivery >= attempts) abandoned++;
          message.nak(retryDelays[delivery - 1] ?? 0);
        } finally {
          clearInterval(alive);
        }
      });
      return {
        async [Symbol.asyncDispose]() {
          await messages.close();
          await done;
        },
      };
    },
    async ping() {
      return connection.rtt().then(
        () => true,
        () => false,
      );
    },
    async [Symbol.asyncDispose]() {
      await connection.drain().catch(() => connection.close());
    },
  };
}

/** Without user and password, which do not belong into a message. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "that address";
}
