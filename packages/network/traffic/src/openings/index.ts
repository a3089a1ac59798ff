import { greetings } from "./greetings.ts";
import { http } from "./http.ts";
import type { Protocol, Spoken } from "./opening.ts";
import { quic } from "./quic.ts";
import { tls } from "./tls.ts";

export type { Spoken };

const protocols: readonly Protocol[] = [tls, quic, http, greetings];

/** What is spoken in a connection that begins with these bytes; empty where that is not known. */
export function spokenIn(bytes: Buffer, fromClient: boolean): Spoken {
  for (const protocol of protocols) {
    const spoken = protocol.read(bytes, fromClient);
    if (spoken) return spoken;
  }
  return {};
}

/** What the two directions tell together. */
export function together(before: Spoken | undefined, now: Spoken): Spoken {
  if (!before) return now;
  const tls = now.tls ?? before.tls;
  return {
    ...before,
    ...now,
    ...(tls && {
      tls: {
        version: now.tls?.version ?? before.tls?.version ?? null,
        serverName: now.tls?.serverName ?? before.tls?.serverName ?? null,
      },
    }),
    credential: before.credential === true || now.credential === true,
  };
}
