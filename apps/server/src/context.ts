import type { PolicyBook } from "./admission/book.ts";
import type { Webhook } from "./admission/webhook.ts";
import type { Bus } from "@bulwark/bus";
import type { Config } from "@bulwark/config";
import type { Store } from "@bulwark/store";
import type { Logger } from "@bulwark/telemetry";
import type { AgentGate } from "./agents/gate.ts";
import type { ServiceAccounts } from "./agents/service-accounts.ts";
import type { OrderBell } from "./agents/orders.ts";
import type { AgentSettingsBoard } from "./agents/settings.ts";
import type { Throttle } from "./auth/throttle.ts";
import type { HealthBoard } from "./health/board.ts";
import type { DiskGuard } from "./health/disk.ts";
import type { Matcher } from "./jobs/matcher.ts";
import type { AuditAlerts } from "./kubernetes/audit-alerts.ts";
import type { Limits } from "./limits.ts";
import type { FlowNews } from "./live/flow-news.ts";
import type { LiveHub } from "./live/hub.ts";
import type { RepeatNews } from "./live/repeat-news.ts";
import type { PolicyReader } from "./network/cluster-policies.ts";
import type { Inventories } from "./network/inventories.ts";
import type { Sealing } from "./registries/sealing.ts";

/** What handlers and jobs work with. Made once, by `server.ts`. */
export interface Context {
  readonly config: Config;
  readonly version: string;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly store: Store;
  readonly bus: Bus;
  readonly live: LiveHub;
  readonly flowNews: FlowNews;
  readonly repeatNews: RepeatNews;
  readonly orderBell: OrderBell;
  readonly health: HealthBoard;
  readonly disk: DiskGuard;
  /** What this process is called among its replicas, in health. */
  readonly replica: string;
  /** Names this process and no other, ever: who holds a lease. */
  readonly holder: string;
  /** Null where agents of other machines cannot connect. */
  readonly gate: AgentGate | null;
  /** In Kubernetes: whose pods join by the token of their service account. */
  readonly serviceAccounts: ServiceAccounts | null;
  readonly agentSettings: AgentSettingsBoard;
  readonly auditAlerts: AuditAlerts;
  readonly policies: PolicyBook;
  /** Who clusters consist of, for what is said of their networks. */
  readonly inventories: Inventories;
  readonly clusterPolicies: PolicyReader;
  /** The admission webhook; null where it is off, and until it listens. */
  webhook: Webhook | null;
  readonly metricsToken: string | undefined;
  /** Path of the file; it may be absent. */
  readonly advisoryDatabase: string;
  readonly matcher: Matcher;
  /** Keeps the credentials of registries. */
  readonly sealing: Sealing;
  /** Aborted when the server begins to close. */
  readonly closing: AbortSignal;
  readonly throttle: Throttle;
  /** True when people reach the server by https. */
  readonly secure: boolean;
}
