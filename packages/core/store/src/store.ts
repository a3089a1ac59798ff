import type {
  ActionOrder,
  ActionRecord,
  BenchmarkException,
  BenchmarkReport,
  BenchmarkSubject,
  CheckState,
  AdmissionDecision,
  AdmissionOutcome,
  Alert,
  AlertState,
  Batch,
  Component,
  ConnectedRegistry,
  Container,
  Event,
  EventKind,
  Finding,
  FindingDay,
  FindingGroup,
  FindingKind,
  FindingState,
  AuditEvent,
  KubeChange,
  KubeCluster,
  KubeRow,
  FlowHour,
  NetworkPolicyDocument,
  StoredFlow,
  ImageReport,
  ImageSummary,
  Page,
  PolicyViolation,
  RegistryImage,
  RepeatsOf,
  Requirement,
  RunningTally,
  RunningVerdict,
  StoredKubeObject,
  RuleText,
  Scan,
  ScanOrigin,
  ScanState,
  Severity,
  StoredAlert,
  ToldRepeats,
  Weakness,
} from "@bulwark/model";

/**
 * All that Bulwark remembers. One interface, two engines; `contract.ts` holds what both must do.
 *
 * Every list is keyset-paged: `cursor` is what an earlier page gave as `next`, bad cursors raise `StoreError`
 * `bad-cursor`. Every write is on disk when its promise resolves (alerts, ingest positions and audit with a full sync).
 */
export interface Store extends AsyncDisposable {
  readonly engine: "sqlite" | "postgresql";
  readonly ingest: IngestRepository;
  readonly events: EventRepository;
  readonly alerts: AlertRepository;
  readonly actions: ActionRepository;
  readonly containers: ContainerRepository;
  readonly images: ImageRepository;
  readonly findings: FindingRepository;
  readonly benchmarks: BenchmarkRepository;
  readonly scans: ScanRepository;
  /** Registries that are connected. */
  readonly registries: RegistryRepository;
  readonly health: HealthRepository;
  readonly accounts: AccountRepository;
  readonly audit: AuditRepository;
  /** Small facts of the server's own: `{ name: value }`. */
  readonly settings: SettingRepository;
  /** Agents of other machines: their certificates, and the tokens that they join with. */
  readonly agents: AgentRepository;
  /** What policies decided of requests to API servers. */
  readonly admission: AdmissionRepository;
  readonly runningPolicies: RunningPolicyRepository;
  readonly flows: FlowRepository;
  /** Network policies that were published from here. */
  readonly networkDocuments: NetworkDocumentRepository;
  /** What one replica at a time does. */
  readonly leases: LeaseRepository;
  readonly kubernetes: KubernetesRepository;
  /** Deletes what is older or more than `limits` allow, in small steps; says what it deleted. */
  retain(limits: RetentionLimits, now: number): Promise<RetentionReport>;
  /** Bytes on disk, and what is free there; `free` is null where the engine is elsewhere. */
  size(): Promise<{ bytes: number; free: number | null }>;
  /** True when a trivial query is answered. */
  ping(): Promise<boolean>;
}

export interface ListOptions {
  cursor?: string | undefined;
  limit: number;
}

export interface IngestRepository {
  /**
   * Stores one batch in one transaction, or nothing. Records that this spool has already brought are passed over, so
   * sending twice is harmless. Raises `StoreError` `full` where the disk cannot take it, and `foreign` where the batch
   * speaks of a container that another node has: ids of containers are random, so a node cannot have them by chance.
   *
   * An image that several nodes have is what most of them say of it. While they disagree evenly, all that they say holds.
   */
  write(batch: Batch, now: number): Promise<IngestResult>;
}
export interface IngestResult {
  /** Highest stored number of the spool. */
  stored: number;
  /** What was new, for the live pages. */
  alerts: StoredAlert[];
  /** All that happened again until now of the alerts of which the batch told. */
  repeats: RepeatsOf[];
  containers: Container[];
  /** Images whose content is now another one than before: they are to be matched. */
  images: ImageReport[];
  components: Component[];
  /** Whose state is another one than before. */
  actions: ActionRecord[];
  scans: Scan[];
  /** Clusters of which flows came. */
  flows: string[];
}

export interface EventFilter {
  kind?: EventKind | undefined;
  container?: string | undefined;
  /** Substring of executable or arguments. */
  q?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}
export interface EventRepository {
  /** Latest first. */
  list(filter: EventFilter, options: ListOptions): Promise<Page<Event>>;
  /** Stores audit records that no agent brings. One that came in the last quarter of an hour is passed over. */
  append(events: readonly AuditEvent[], now: number): Promise<{ stored: number; known: number }>;
}

/** An object of a cluster: its pods, or those that it controls, also those that have gone. */
export interface ObjectRef {
  cluster: string;
  uid: string;
}

export interface AlertFilter {
  severity?: Severity[] | undefined;
  state?: AlertState | undefined;
  rule?: string | undefined;
  container?: string | undefined;
  object?: ObjectRef | undefined;
  q?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}
export interface AlertRepository {
  /** Latest first. */
  list(filter: AlertFilter, options: ListOptions): Promise<Page<StoredAlert>>;
  get(id: Alert["id"]): Promise<StoredAlert | undefined>;
  /**
   * Stores alerts that no agent brings, and then counts what happened again. Answers with those that were not there yet,
   * and with all that happened again until now of the others. A request that was counted in the last quarter of an hour
   * is passed over.
   */
  append(
    alerts: readonly Alert[],
    repeats: readonly ToldRepeats[],
    now: number,
  ): Promise<{ alerts: StoredAlert[]; repeats: RepeatsOf[] }>;
  update(
    id: Alert["id"],
    change: { state: AlertState; comment?: string | undefined },
  ): Promise<StoredAlert | undefined>;
  /** A rule as a node wrote it that has raised alerts there; `changedAt`: since when, where it was another before. */
  ruleText(node: string, rule: string): Promise<(RuleText & { changedAt: number | null }) | undefined>;
  countOpen(): Promise<Record<Severity, number>>;
  /** Counts in `hours` hours up to `now`, oldest first, empty hours included. */
  countByHour(hours: number, now: number): Promise<{ time: number; count: number }[]>;
}

export interface ActionRepository {
  /** Latest first. */
  list(
    filter: {
      alert?: string | undefined;
      container?: string | undefined;
      /** Of a workload: what carries it out. */
      quarantine?: string | undefined;
    },
    options: ListOptions,
  ): Promise<Page<ActionRecord>>;
  get(id: string): Promise<ActionRecord | undefined>;
  /** Keeps an order until its agent takes it, and what it is about; null where it undoes what is known already. */
  order(order: ActionOrder, record: ActionRecord | null, now: number): Promise<void>;
  /** Forgets what the agent of this node has taken, and gives it the rest. */
  orders(node: string, done: readonly string[], now: number): Promise<ActionOrder[]>;
  /** Gives up orders that nobody took in time; what they were about. */
  expire(now: number): Promise<ActionRecord[]>;
}

export interface ContainerRepository {
  /** Running first, then latest start first. */
  list(
    filter: {
      state?: "running" | "stopped" | undefined;
      q?: string | undefined;
      node?: string | undefined;
      privileged?: boolean | undefined;
      /** Uid of a pod. */
      pod?: string | undefined;
    },
    options: ListOptions,
  ): Promise<Page<Container>>;
  get(id: string): Promise<Container | undefined>;
  count(): Promise<{ running: number; privileged: number; nodes: number }>;
}

export interface ImageRepository {
  list(filter: { q?: string | undefined }, options: ListOptions): Promise<Page<ImageSummary>>;
  summary(key: string): Promise<ImageSummary | undefined>;
  /** Where nodes disagree about the image an extractor named `agreement` says so. */
  report(key: string): Promise<ImageReport | undefined>;
  /** What holds of an image: one report, or all of those that nodes tell who disagree evenly. Each is to be matched. */
  contents(key: string): Promise<ImageReport[]>;
  /** What the server itself, or whoever else is no agent, says of an image. True where something else holds now than before. */
  put(node: string, report: ImageReport, now: number): Promise<boolean>;
  /** Keys of every image, for matching anew when advisories change. */
  keys(): AsyncIterable<string>;
  count(): Promise<number>;
  /** Images that run now with the worst open findings. */
  worst(limit: number): Promise<ImageSummary[]>;
}

export interface FindingFilter {
  severity?: Severity[] | undefined;
  state?: FindingState | undefined;
  kind?: FindingKind | undefined;
  /** The CVE, kind of secret, rule or check, whole. */
  subject?: string | undefined;
  /** Name of a package, whole. */
  package?: string | undefined;
  /** Key of an image. */
  image?: string | undefined;
  fixable?: boolean | undefined;
  exploited?: boolean | undefined;
  /** Only of images that run now. */
  running?: boolean | undefined;
  q?: string | undefined;
}
export interface FindingRepository {
  /** Worst first: exploited, severity, score, fingerprint. */
  list(filter: FindingFilter, options: ListOptions): Promise<Page<Finding>>;
  get(fingerprint: string): Promise<Finding | undefined>;
  setState(fingerprint: string, state: "open" | "deferred"): Promise<Finding | undefined>;
  /** The same by what they are of, over all images; the worst first. */
  groups(by: "subject" | "package", filter: FindingFilter, options: ListOptions): Promise<Page<FindingGroup>>;
  /**
   * Makes the findings of an image, of these kinds only, what `weaknesses` says: new ones open (or reopen), missing ones
   * are fixed, deferred ones stay deferred. Returns how many changed.
   */
  replace(
    imageKey: string,
    weaknesses: readonly Weakness[],
    kinds: readonly FindingKind[],
    now: number,
  ): Promise<{ opened: number; fixed: number }>;
  /** Notes how many are open, for `trend`. */
  noteDay(now: number): Promise<void>;
  /** How many were open at the end of each of the last days that were noted, and now; oldest first. */
  trend(days: number, now: number): Promise<FindingDay[]>;
  countOpen(): Promise<{ bySeverity: Record<Severity, number>; exploited: number }>;
}

/** What one check says of one host or cluster, at its worst. */
export interface BenchmarkState {
  subject: BenchmarkSubject;
  check: string;
  state: CheckState;
  /** When it began to say so. */
  since: number;
}
export interface BenchmarkRepository {
  /** The last report of a host or cluster is the one that counts. */
  put(report: BenchmarkReport, now: number): Promise<void>;
  /** Every host and cluster that has one. */
  subjects(): Promise<{ subject: BenchmarkSubject; collectedAt: number }[]>;
  states(filter?: {
    check?: string | undefined;
    state?: CheckState | undefined;
    subject?: BenchmarkSubject | undefined;
  }): Promise<BenchmarkState[]>;
  /** What fails of hosts and clusters, but for exceptions; counted up to `most`. */
  failing(most: number, now: number): Promise<number>;
  report(subject: BenchmarkSubject): Promise<BenchmarkReport | undefined>;
  /** Checks by state, over all hosts and clusters, on each of the last days that has a report; oldest first. */
  days(count: number, now: number): Promise<{ time: number; passed: number; failed: number; unknown: number }[]>;
  /** Those that still hold, latest first. */
  exceptions(now: number): Promise<BenchmarkException[]>;
  addException(exception: BenchmarkException): Promise<void>;
  /** False where there was none. */
  deleteException(id: string): Promise<boolean>;
  /** All that is known of a host or cluster. */
  forget(subject: BenchmarkSubject): Promise<void>;
}

export interface ScanRepository {
  /** Under way first, then what waits in the order in which it is done, then what failed, then what is done. */
  list(
    filter: {
      state?: ScanState | undefined;
      origin?: ScanOrigin | undefined;
      place?: string | undefined;
      q?: string | undefined;
    },
    options: ListOptions,
  ): Promise<Page<Scan>>;
  counts(): Promise<Record<ScanOrigin, Record<ScanState, number>>>;
  get(place: string, key: string): Promise<Scan | undefined>;
  /**
   * Lines up images of a registry: those that were pushed first, then those that run somewhere. What waits or runs stays
   * where it is, and what is done only with `again` is done once more. Returns how many more wait now.
   */
  queue(
    place: string,
    images: readonly { key: string; name: string }[],
    how: { pushed: boolean; again: boolean },
    now: number,
  ): Promise<number>;
  /** Takes the next scan of a registry's image, for one caller only; also one whose taker has said nothing for `silence` milliseconds. */
  claim(silence: number, now: number): Promise<Scan | undefined>;
  /** How a scan gets on that was claimed. False where it has been forgotten meanwhile. */
  update(scan: Scan, now: number): Promise<boolean>;
  /** Every scan of a place. */
  forget(place: string): Promise<void>;
}

/** As it is kept: with what nobody is shown. */
export interface StoredRegistry extends ConnectedRegistry {
  /** Credentials, sealed; null where it is asked without a name. */
  sealed: string | null;
  /** SHA-256 of the secret that its webhooks come with. */
  hookHash: string;
}
export interface RegistryRepository {
  list(): Promise<StoredRegistry[]>;
  get(id: string): Promise<StoredRegistry | undefined>;
  /** Those that are to be looked at by now, the one that waits longest first. */
  due(now: number): Promise<StoredRegistry[]>;
  /** It is looked at as soon as may be. */
  add(registry: Pick<StoredRegistry, "id" | "settings" | "sealed" | "hookHash">, now: number): Promise<void>;
  /** What is absent stays as it is. False where there is no such registry. */
  change(
    id: string,
    to: Partial<Pick<StoredRegistry, "settings" | "sealed" | "hookHash" | "nextAt">>,
  ): Promise<boolean>;
  /** How a look at it ended. */
  listed(id: string, end: Pick<StoredRegistry, "state" | "reason" | "remedy" | "nextAt">, now: number): Promise<void>;
  /** With its tags; what was found in its images stays as long as assets are kept. */
  remove(id: string): Promise<boolean>;
  /** Tags that are there; `whole`: what is not among them has gone. */
  see(
    id: string,
    images: readonly Omit<RegistryImage, "seenAt">[],
    how: { whole: boolean },
    now: number,
  ): Promise<void>;
  /** By repository and tag. */
  images(id: string, filter: { q?: string | undefined }, options: ListOptions): Promise<Page<RegistryImage>>;
}

export interface HealthRepository {
  list(): Promise<Component[]>;
  put(components: Component[]): Promise<void>;
  /** Takes out what `node` said of itself, or only what is older than `before`. */
  forget(node: string, before?: number): Promise<void>;
}

export interface User {
  name: string;
  /** As `passwords.ts` of the server writes it; null until the person sets one. */
  passwordHash: string | null;
}
export interface Session {
  /** SHA-256 of the cookie's value. */
  hash: string;
  user: string;
  csrf: string;
  createdAt: number;
  expiresAt: number;
}
export interface ApiToken {
  id: string;
  /** SHA-256 of the secret. */
  hash: string;
  name: string;
  scope: "read" | "write" | "agent" | "audit";
  /** For `agent`: the node it speaks for; for `audit`: the cluster. */
  node: string | null;
  createdAt: number;
  expiresAt: number;
  lastUsedAt: number | null;
}
export interface AccountRepository {
  user(name: string): Promise<User | undefined>;
  putUser(user: User): Promise<void>;
  addLoginLink(link: { hash: string; user: string; expiresAt: number }): Promise<void>;
  /** Takes a link out of the store, whoever asks first; undefined where there is none or it has expired. */
  takeLoginLink(hash: string, now: number): Promise<{ user: string } | undefined>;
  session(hash: string, now: number): Promise<Session | undefined>;
  addSession(session: Session): Promise<void>;
  /** Does nothing where the session has gone: who has logged out stays out. */
  extendSession(hash: string, expiresAt: number): Promise<void>;
  deleteSession(hash: string): Promise<void>;
  /** Every session of a user but the one with this hash. */
  deleteSessions(user: string, except: string): Promise<void>;
  addToken(token: ApiToken): Promise<void>;
  tokenByHash(hash: string, now: number): Promise<ApiToken | undefined>;
  tokens(): Promise<ApiToken[]>;
  touchToken(id: string, now: number): Promise<void>;
  deleteToken(id: string): Promise<boolean>;
}

export interface AuditEntry {
  id: number;
  time: number;
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
  address: string;
  hash: string;
}
export interface AuditRepository {
  append(entry: Omit<AuditEntry, "id" | "hash">): Promise<AuditEntry>;
  /** Latest first. */
  list(options: ListOptions): Promise<Page<AuditEntry>>;
  /** Recomputes the chain; `brokenAt` is the first entry that does not follow from the one before. */
  verify(): Promise<{ entries: number; brokenAt: number | null }>;
}

export interface SettingRepository {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** Sets it where it is not set; of many who do that at once one wins. Answers with what holds. */
  setOnce(name: string, value: string): Promise<string>;
}

/** A client certificate that was issued to the agent of one node. */
export interface AgentCertificate {
  /** SHA-256 of the certificate. */
  fingerprint: string;
  node: string;
  cluster: string;
  /** SHA-256 of the public key. */
  publicKey: string;
  issuedAt: number;
  expiresAt: number;
  revokedAt: number | null;
  /** Exact to a minute. */
  seenAt: number | null;
  address: string;
}
export interface JoinTokenRow {
  id: string;
  /** SHA-256 of the secret. */
  hash: string;
  cluster: string;
  /** Good for this node once, and takes the node over from an agent that had it. Null: good for any node that has none. */
  node: string | null;
  createdAt: number;
  expiresAt: number;
}
/**
 * - `unknown-token`: there is no such token, or its time is over
 * - `other-node`: the token is for another node
 * - `used`: the token was for one agent, and another has taken it
 * - `taken`: the node has an agent already, and the token is not for this very node
 */
export type EnrolRefusal = "unknown-token" | "other-node" | "used" | "taken";
export interface AgentRepository {
  addJoinToken(token: JoinTokenRow): Promise<void>;
  joinToken(id: string, now: number): Promise<JoinTokenRow | undefined>;
  /**
   * Takes a certificate in for a token, or says why not. The same key may ask again, for the answer may have been lost.
   * The certificate's cluster is the token's.
   */
  enrol(
    asked: { token: { id: string; hash: string }; certificate: AgentCertificate },
    now: number,
  ): Promise<EnrolRefusal | null>;
  /** A further certificate of an agent that has one. */
  renew(certificate: AgentCertificate): Promise<void>;
  /** Revoked and expired ones too. */
  byFingerprint(fingerprint: string): Promise<AgentCertificate | undefined>;
  touch(fingerprint: string, address: string, now: number): Promise<void>;
  /** One certificate of each node, by cluster and node: the latest that is good, else the latest that was revoked. None that has expired. */
  list(now: number): Promise<AgentCertificate[]>;
  /** Every certificate of the node; how many there were. In effect with the next request, at every replica. */
  revoke(agent: { cluster: string; node: string }, now: number): Promise<number>;
  /** Deletes what expired before. */
  forget(before: number): Promise<number>;
}

export interface AdmissionFilter {
  policy?: string | undefined;
  outcome?: AdmissionOutcome | undefined;
  cluster?: string | undefined;
  namespace?: string | undefined;
  /** Substring of policy, kind, namespace, name, user or reason. */
  q?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}
export interface AdmissionRepository {
  /** One that is there already is passed over. */
  append(decisions: readonly AdmissionDecision[]): Promise<void>;
  /** Latest first. */
  list(filter: AdmissionFilter, options: ListOptions): Promise<Page<AdmissionDecision>>;
  /** Since a time, by policy and outcome; without what was allowed. */
  count(since: number): Promise<{ policy: string; outcome: AdmissionOutcome; count: number }[]>;
}

/** A look at all that runs in a cluster. */
export interface PolicyRun {
  cluster: string;
  /** Milliseconds since the epoch. */
  judgedAt: number;
  durationMs: number;
  objects: number;
  /** Of the policies that it was held against: others are a reason to look again. */
  hash: string;
  /** What could not be looked at, one line each. */
  problems: string[];
}
export interface PolicyResult extends RunningTally {
  policy: string;
  violations: Omit<PolicyViolation, "policy" | "cluster" | "since">[];
}
export interface ViolationFilter {
  policy?: string | undefined;
  cluster?: string | undefined;
  namespace?: string | undefined;
  verdict?: RunningVerdict | undefined;
  /** Substring of policy, kind, namespace, name or message. */
  q?: string | undefined;
}
export interface RunningPolicyRepository {
  /** The last look at a cluster is the one that counts: policies and workloads that it does not have are gone. */
  put(run: PolicyRun, results: readonly PolicyResult[]): Promise<void>;
  runs(): Promise<PolicyRun[]>;
  /** Of each policy over all clusters. */
  tallies(): Promise<Map<string, RunningTally>>;
  /** By policy, cluster, namespace, name and kind. */
  violations(filter: ViolationFilter, options: ListOptions): Promise<Page<PolicyViolation>>;
  forget(cluster: string): Promise<void>;
}

export interface LeaseRepository {
  /** True when `holder` has the lease for so long: nobody else had it, or only until now. Taking it again prolongs it. */
  take(name: string, holder: string, milliseconds: number): Promise<boolean>;
  /** Gives it back; without `holder` whoever has it. */
  release(name: string, holder?: string): Promise<void>;
  /** Leases whose name begins so, with the milliseconds that they are still good for: below 0 they are over. */
  list(prefix: string): Promise<{ name: string; holder: string; left: number }[]>;
}

export interface KubeFilter {
  cluster?: string | undefined;
  kind?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  /** Only workloads that nobody controls. */
  workloads?: boolean | undefined;
  selector?: readonly Requirement[] | undefined;
  /** Substring of name, namespace, kind, status, node or image. */
  q?: string | undefined;
  node?: string | undefined;
  /** What this object controls, however far down. Needs `cluster`. */
  owner?: string | undefined;
  /** Pods in which the image with this key runs. */
  image?: string | undefined;
  healthy?: boolean | undefined;
  /** Those that have gone, instead of those that live. */
  deleted?: boolean | undefined;
}
/** A whole object, as JSON that nobody has looked into; null where it is known, but was not told as a whole. */
export interface KubeManifest {
  uid: string;
  namespace: string;
  name: string;
  manifest: string | null;
}
export interface KubernetesRepository {
  putCluster(cluster: KubeCluster): Promise<void>;
  /** By name. */
  clusters(): Promise<KubeCluster[]>;
  /** With all of its objects. */
  forgetCluster(name: string): Promise<void>;
  /** In one transaction. Says what has really changed; objects that are as they were cost no write. */
  write(cluster: string, changes: readonly KubeChange[], now: number): Promise<{ kind: string; changed: number }[]>;
  /** By cluster, namespace, name, uid. */
  list(filter: KubeFilter, options: ListOptions): Promise<Page<KubeRow>>;
  get(cluster: string, uid: string): Promise<KubeRow | undefined>;
  /** As `list`, without what costs further queries. */
  plain(filter: KubeFilter, options: ListOptions): Promise<Page<StoredKubeObject>>;
  /** Living objects of a kind as its collector told them, by namespace, name, uid. */
  manifests(cluster: string, kind: string, options: ListOptions): Promise<Page<KubeManifest>>;
  /** Living objects of a cluster by kind. */
  count(cluster: string): Promise<Record<string, number>>;
}

/** Flows of both ends and one port at the grain of pods, as one side saw them, over all hours that were asked for. */
export interface FlowSum extends Omit<FlowHour, "hour"> {
  cluster: string;
  /** Names both workloads with port and protocol: see `FlowRepository.firstSeen`. */
  pair: string;
  /** In how many hours it was seen. */
  hours: number;
}
export interface FlowFilter {
  since: number;
  until: number;
  cluster?: string | undefined;
  /** Of either end. */
  namespace?: string | undefined;
}
export interface FlowKeys {
  /** As `networkEndKey` makes them, of any grain. */
  client?: string | undefined;
  server?: string | undefined;
  port?: number | undefined;
  protocol?: FlowHour["protocol"] | undefined;
}
/** Flows come with the batches of agents: see `IngestRepository`. */
export interface FlowRepository {
  /** Most connections first; `truncated` where there are more than `limit`. */
  sums(filter: FlowFilter, limit: number): Promise<{ items: FlowSum[]; truncated: boolean }>;
  /** So that the next `sums` of that time is quick: most of it is over, and added up once. */
  prepare(filter: FlowFilter): Promise<void>;
  /** Latest hour first. */
  hours(filter: FlowFilter & FlowKeys, options: ListOptions): Promise<Page<StoredFlow>>;
  /** When pairs were first seen, ever, of those that are known. */
  firstSeen(pairs: readonly string[]): Promise<Map<string, number>>;
  /** Times in which nodes told, oldest first, that reach into the time asked for; and what found no room in it. */
  watches(filter: Pick<FlowFilter, "since" | "until" | "cluster">): Promise<{
    watches: { node: string; cluster: string; since: number; until: number }[];
    lost: { node: string; cluster: string; lost: number }[];
  }>;
  /** When the first flow of each cluster was told of. */
  began(): Promise<Map<string, number>>;
}

export interface NetworkDocumentRepository {
  /** Latest first. */
  list(filter: { cluster?: string | undefined }, options: ListOptions): Promise<Page<NetworkPolicyDocument>>;
  get(id: string): Promise<NetworkPolicyDocument | undefined>;
  /** `before`: what undoes it, as whoever publishes understands it. */
  add(document: NetworkPolicyDocument, before: string): Promise<void>;
  before(id: string): Promise<string | undefined>;
  /** False where it is not in that state any more: somebody else was faster. */
  change(document: NetworkPolicyDocument, from: NetworkPolicyDocument["state"]): Promise<boolean>;
  /** Those whose time to be confirmed is over, and those that could not be undone yet. */
  due(now: number): Promise<NetworkPolicyDocument[]>;
}

/** Every limit is optional; days and bytes. */
export interface RetentionLimits {
  eventDays?: number | undefined;
  alertDays?: number | undefined;
  /** Flows by the hour. */
  flowDays?: number | undefined;
  auditDays?: number | undefined;
  /** Stopped containers, images that run nowhere with their fixed findings. */
  assetDays?: number | undefined;
  /** When the database is larger, the oldest events go first, then the oldest closed alerts. */
  bytes?: number | undefined;
}
export interface RetentionReport {
  events: number;
  alerts: number;
  audit: number;
  containers: number;
  images: number;
}
