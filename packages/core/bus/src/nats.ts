import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { ConsumerMessages, JetStreamManager, JsMsg, StreamConfig } from "@nats-io/jetstream";
import { connect, nanos } from "@nats-io/transport-node";
import { errorText } from "@bulwark/model";
import { workSubjects, type Bus, type BusStats, type Messages, type Subject } from "./bus.ts";
import { BusError } from "./error.ts";

const day = 86_400_000;

/**
 * Live messages, work and what was given up are three streams: a flood of live messages must never push work out.
 *
 * Work is taken out of its stream when it is done (`Interest`: each subject has its durable consumer from the moment the
 * bus is opened), and when the stream is full the publisher is told; old work is never thrown away for new.
 */
const streams: StreamConfigOf[] = [
  {
    name: "bulwark-live",
    subjects: ["bulwark-live.>"],
    // On disk, although it is kept for a minute: the numbers of the messages must grow through a restart of NATS.
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(60_000),
    max_bytes: 64_000_000,
  },
  {
    name: "bulwark-work",
    subjects: ["bulwark-work.>"],
    storage: StorageType.File,
    retention: RetentionPolicy.Interest,
    discard: DiscardPolicy.New,
    max_age: nanos(7 * day),
    max_bytes: 1_000_000_000,
  },
  {
    name: "bulwark-abandoned",
    subjects: ["bulwark-abandoned.>"],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(30 * day),
    max_msgs: 10_000,
  },
];
type StreamConfigOf = Partial<StreamConfig> & { name: string };

/** A worker that says nothing for so long is taken for dead, and another gets its message. */
const ackWait = 60_000;
const publishTimeout = 5000;
const publishTries = 10;

/** Raises `BusError` where the server does not answer now; later breaks are mended by reconnecting for ever. */
export async function openNatsBus(url: string, retryDelays: readonly number[]): Promise<Bus> {
  const connection = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    timeout: 5000,
  }).catch((error: unknown) => {
    throw new BusError("unavailable", `NATS does not answer at ${hostOf(url)}: ${errorText(error)}`, {
      remedy: "check server.nats (NATS_URL)",
      cause: error,
    });
  });
  try {
    const manager = await jetstreamManager(connection);
    for (const config of streams) await putStream(manager, config);
    for (const subject of workSubjects) await putConsumer(manager, subject);
  } catch (error) {
    await connection.close();
    throw new BusError("unavailable", `JetStream of NATS at ${hostOf(url)} is not usable: ${errorText(error)}`, {
      remedy: "start nats-server with JetStream (-js), and let this user manage streams named bulwark-*",
      cause: error,
    });
  }
  const client = jetstream(connection);
  const attempts = retryDelays.length + 1;
  /** Above it, a message was delivered again and again without an answer: it ends the process that handles it. */
  const deliveriesLimit = attempts * 2;
  const counts: BusStats = { published: 0, dropped: 0, failed: 0, abandoned: 0 };

  async function publish(address: string, data: string, id: string, tries = publishTries): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        // The id lets JetStream tell a second try from a second message.
        await client.publish(address, data, { msgID: id, timeout: publishTimeout });
        return;
      } catch (error) {
        if (/maximum (bytes|messages) exceeded|insufficient (resources|storage)/.test(errorText(error))) {
          throw new BusError("full", `${address}: ${errorText(error)}`, {
            remedy: "let the work that waits be done, or make the stream bulwark-work larger",
            cause: error,
          });
        }
        if (attempt >= tries || connection.isClosed()) {
          throw new BusError("unavailable", `NATS did not take ${address}: ${errorText(error)}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  async function giveUp(message: JsMsg, subject: Subject): Promise<void> {
    const id = `abandoned-${message.seq}`;
    await publish(`bulwark-abandoned.${subject}`, message.string(), id);
    message.term("abandoned");
    counts.abandoned++;
  }

  async function handleWork(
    message: JsMsg,
    subject: Subject,
    handler: (message: never) => Promise<void>,
  ): Promise<void> {
    const delivery = message.info.deliveryCount;
    const alive = setInterval(() => message.working(), ackWait / 3);
    try {
      if (delivery > deliveriesLimit) return await giveUp(message, subject);
      await handler(message.json<never>());
      message.ack();
    } catch {
      counts.failed++;
      if (delivery < attempts) message.nak(retryDelays[delivery - 1] ?? 0);
      else await giveUp(message, subject).catch(() => message.nak(retryDelays.at(-1) ?? 0));
    } finally {
      clearInterval(alive);
    }
  }

  return {
    kind: "nats",
    get abandoned() {
      return counts.abandoned;
    },
    stats: () => ({ ...counts }),
    async publish(subject, message) {
      const data = JSON.stringify(message);
      const id = crypto.randomUUID();
      try {
        await publish(addressOf(subject), data, id, isWork(subject) ? publishTries : 1);
        counts.published++;
      } catch (error) {
        if (isWork(subject)) throw error;
        counts.dropped++;
      }
    },
    async subscribe<S extends Subject>(subject: S, handler: (message: Messages[S], id: number) => void) {
      let last = 0;
      const consumer = await client.consumers.get(streamOf(subject), {
        filter_subjects: addressOf(subject),
        deliver_policy: DeliverPolicy.New,
      });
      const messages = await consumer.consume();
      const done = consume(messages, async (message) => {
        // A gap within the one subject of the stream of live messages is what the server let go while we were away.
        if (last > 0 && !isWork(subject)) counts.dropped += Math.max(0, message.seq - last - 1);
        last = message.seq;
        try {
          handler(message.json<Messages[S]>(), message.seq);
        } catch {
          counts.failed++;
        }
      });
      return closing(messages, done);
    },
    async work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>) {
      const consumer = await client.consumers.get(streamOf(subject), consumerOf(subject));
      const messages = await consumer.consume({ max_messages: 1 });
      const done = consume(messages, async (message) => handleWork(message, subject, handler));
      return closing(messages, done);
    },
    async ping() {
      if (connection.isClosed()) return false;
      const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 2000).unref());
      const answer = connection.rtt().then(
        () => true,
        () => false,
      );
      return Promise.race([answer, late]);
    },
    async [Symbol.asyncDispose]() {
      await connection.drain().catch(async () => connection.close());
    },
  };
}

function isWork(subject: Subject): boolean {
  return (workSubjects as readonly Subject[]).includes(subject);
}

function streamOf(subject: Subject): string {
  return isWork(subject) ? "bulwark-work" : "bulwark-live";
}

function addressOf(subject: Subject): string {
  return `${streamOf(subject)}.${subject}`;
}

function consumerOf(subject: Subject): string {
  return `work-${subject.replaceAll(".", "-")}`;
}

/** Replicas, placement and whatever else somebody has set on the stream stays. */
async function putStream(manager: JetStreamManager, config: StreamConfigOf): Promise<void> {
  const known = await manager.streams.info(config.name).catch(() => undefined);
  if (known) await manager.streams.update(config.name, { ...known.config, ...config });
  else await manager.streams.add(config);
}

/** How often a message may fail is decided here, not by the server: it would keep quiet about what it gives up. */
async function putConsumer(manager: JetStreamManager, subject: Subject): Promise<void> {
  await manager.consumers.add(streamOf(subject), {
    durable_name: consumerOf(subject),
    filter_subject: addressOf(subject),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWait),
    max_deliver: -1,
  });
}

async function consume(messages: ConsumerMessages, handle: (message: JsMsg) => Promise<void>): Promise<void> {
  for await (const message of messages) await handle(message);
}

function closing(messages: ConsumerMessages, done: Promise<void>): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await messages.close();
      await done;
    },
  };
}

/** Without user and password, which do not belong into a message. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "that address";
}
