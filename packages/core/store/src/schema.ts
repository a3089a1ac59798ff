import type { Generated, Kysely, Transaction } from "kysely";

/** The tables, as both engines have them. Times are milliseconds since the epoch, booleans 0 and 1, bodies JSON text. */
export interface Schema {
  spools: { id: string; node: string; stored: number };
  events: {
    id: Generated<number>;
    time: number;
    node: string;
    kind: string;
    container: string | null;
    search: string;
    body: string;
  };
  alerts: {
    id: string;
    time: number;
    rule: string;
    /** Rank of the severity: 0 is the worst. */
    severity: number;
    state: string;
    comment: string;
    container: string | null;
    received_at: number;
    search: string;
    body: string;
  };
  containers: {
    node: string;
    id: string;
    image_key: string;
    running: number;
    privileged: number;
    started_at: number;
    seen_at: number;
    search: string;
    body: string;
  };
  images: {
    key: string;
    name: string;
    digest: string | null;
    os: string | null;
    packages: number;
    state: string;
    scanned_at: number;
    report: string;
  };
  findings: {
    fingerprint: string;
    image_key: string;
    severity: number;
    /** What comes first in the list: exploited, then severity, then score. Small is urgent. */
    urgency: number;
    exploited: number;
    fixable: number;
    state: string;
    first_seen: number;
    last_seen: number;
    search: string;
    body: string;
  };
  components: { node: string; id: string; updated_at: number; body: string };
  users: { name: string; password_hash: string | null };
  login_links: { hash: string; user_name: string; expires_at: number };
  sessions: { hash: string; user_name: string; csrf: string; created_at: number; expires_at: number };
  tokens: {
    id: string;
    hash: string;
    name: string;
    scope: string;
    node: string | null;
    created_at: number;
    expires_at: number;
    last_used_at: number | null;
  };
  audit: {
    id: number;
    time: number;
    actor: string;
    action: string;
    target: string;
    detail: string;
    address: string;
    hash: string;
  };
  settings: { name: string; value: string };
}

export type Tx = Transaction<Schema>;
export type Query = Kysely<Schema>;
