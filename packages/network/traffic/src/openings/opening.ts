import type { Tls } from "@bulwark/flow";

/** What the first bytes of a connection tell of what is spoken in it. */
export interface Spoken {
  readonly tls?: Tls;
  /** The protocol, where it is in clear text: `http`, `ssh` is none. */
  readonly clear?: string;
  /** A password or token went by. */
  readonly credential?: boolean;
}

/** One protocol. A new one is a file beside this and a word in `index.ts`. */
export interface Protocol {
  /** Undefined where it is not this. Bytes are foreign, and may be cut anywhere. */
  read(bytes: Buffer, fromClient: boolean): Spoken | undefined;
}
