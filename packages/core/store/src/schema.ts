import type { Generated, Transaction } from "kysely";

/** The tables, as both engines have them. Times are milliseconds since the epoch, booleans 0 and 1, bodies JSON text. */
export interface Schema {
  spools: { id: string; node: string; stored: number };
  /** One row for each event, small: only what is looked for. Its id is `block * blockSize + place in the block`. */
  events: {
    id: number;
    time: number;
    kind: string;
    /** `containerKey` of the container's id: a number is a tenth of the id, in the row and in the index. */
    container: number | null;
    search: string;
  };
  /** The events themselves, compressed in blocks of one batch. */
  event_blocks: {
    id: number;
    /** Of its latest event. */
    max_time: number;
    events: number;
    /** What the block and its events' rows take, about. */
    bytes: number;
    body: Uint8Array;
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
    pod_uid: string | null;
    received_at: number;
    search: string;
    body: string;
    /** How often the same was seen again, and when at last; both 0 where it was not. */
    repeats: Generated<number>;
    last_time: Generated<number>;
  };
  /** Rules that only agents have, by their nodes; `changed`: it was told with another text before, until `since`. */
  rule_texts: {
    node: string;
    rule: string;
    file: string;
    line: number;
    text: string;
    since: number;
    changed: number;
    told_at: number;
  };
  containers: {
    node: string;
    id: string;
    image_key: string;
    running: number;
    privileged: number;
    started_at: number;
    seen_at: number;
    pod_uid: string | null;
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
    /** JSON, in gzip. */
    report: Uint8Array;
    /** Hashes of the contents that hold, separated by commas: more than one where nodes disagree evenly. */
    contents: string;
  };
  /** Every content of an image that a node has told of, once. */
  image_contents: { key: string; hash: string; state: string; source: string; report: Uint8Array };
  /** What each node told of an image last. */
  image_witnesses: { key: string; node: string; hash: string; seen_at: number };
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
    kind: string;
    /** The CVE, kind of secret, rule or check. */
    subject: string;
    /** Empty where it is not of a package. */
    package: string;
  };
  /** The weakness of each finding, apart so that lists walk over small rows. */
  finding_details: { fingerprint: string; body: string };
  benchmark_reports: {
    kind: string;
    name: string;
    collected_at: number;
    /** JSON, in gzip. */
    report: Uint8Array;
  };
  /** The worst that a check says of a host or cluster, and since when it has said so. */
  benchmark_states: { kind: string; name: string; check_id: string; state: string; since: number };
  /** Checks of the last report of a day, by their state; `day` is days since the epoch. */
  benchmark_days: { kind: string; name: string; day: number; passed: number; failed: number; unknown: number };
  benchmark_exceptions: {
    id: string;
    check_id: string;
    kind: string | null;
    name: string | null;
    reason: string;
    owner: string;
    created_at: number;
    expires_at: number;
  };
  /** Open findings at the end of a day, or of today until now; `day` is its midnight, UTC. */
  finding_days: { day: number; severity: number; open: number };
  /** How the scan of each image gets on, at each place that has it. */
  scans: {
    place: string;
    key: string;
    name: string;
    origin: string;
    /** What comes first: small. */
    rank: number;
    state: string;
    attempts: number;
    reason: string;
    done: number;
    total: number | null;
    queued_at: number;
    started_at: number | null;
    finished_at: number | null;
    next_at: number | null;
    /** When the place last said something of it. */
    told_at: number;
  };
  registries: {
    id: string;
    name: string;
    /** What a person has set, JSON. */
    body: string;
    /** Sealed; null where the registry is asked without a name. */
    credentials: string | null;
    /** Of the secret that webhooks come with. */
    hook_hash: string;
    created_at: number;
    listed_at: number | null;
    /** When it is to be listed again; null for never. */
    next_at: number | null;
    state: string;
    reason: string;
    remedy: string;
  };
  /** The tags of a registry that fit its filters, and what each leads to. */
  registry_images: {
    registry: string;
    repository: string;
    tag: string;
    digest: string;
    /** Of the image. */
    key: string;
    seen_at: number;
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
  /** Certificates of agents. One that is not here is worth nothing, whoever signed it. */
  agents: {
    fingerprint: string;
    node: string;
    cluster: string;
    public_key: string;
    issued_at: number;
    expires_at: number;
    revoked_at: number | null;
    seen_at: number | null;
    address: string;
  };
  join_tokens: {
    id: string;
    hash: string;
    cluster: string;
    /** The one node that it is for; null for any. */
    node: string | null;
    created_at: number;
    expires_at: number;
    /** Public key that took it, where it is for one node. */
    used_by: string | null;
  };
  kube_clusters: { name: string; synced_at: number | null; body: string };
  /** The objects of clusters. One that lives is seen whenever its cluster is synced, so its row has no time of that. */
  kube_objects: {
    cluster: string;
    uid: string;
    kind: string;
    namespace: string;
    name: string;
    owner_uid: string | null;
    /** A workload that nobody controls. */
    root: number;
    node: string | null;
    healthy: number;
    first_seen: number;
    /** When it went; 0 while it lives. */
    deleted_at: number;
    by_reference: number;
    search: string;
    /** JSON with sorted keys. */
    labels: string;
    body: string;
  };
  /** Each label of an object, for selectors. */
  /** Whole objects of clusters that only a collector tells of. */
  kube_manifests: { cluster: string; uid: string; body: string };
  kube_labels: { cluster: string; uid: string; key: string; value: string };
  /** Hashes of the ids of audit records that came lately: an API server that had no answer sends them again. */
  audit_seen: { id: string; seen_at: number };
  actions: {
    id: string;
    node: string;
    container: string;
    alert: string | null;
    /** By the server's clock. */
    created_at: number;
    state: string;
    body: string;
  };
  /** What an agent is to do and has not said that it has taken. */
  orders: { id: string; node: string; expires_at: number; body: string };
  /** What admission policies decided. */
  admission_decisions: {
    id: string;
    time: number;
    cluster: string;
    policy: string;
    outcome: string;
    namespace: string;
    search: string;
    body: string;
  };
  /** When each cluster's objects were held against policies, and against which. */
  policy_runs: { cluster: string; judged_at: number; body: string };
  policy_tallies: { cluster: string; policy: string; body: string };
  /** Workloads that run and that a policy would not simply let in. */
  policy_violations: {
    cluster: string;
    policy: string;
    namespace: string;
    name: string;
    kind: string;
    verdict: string;
    since: number;
    judged_at: number;
    search: string;
    body: string;
  };
  /** Ends of flows as they were then, at the grain of pods; `id` is a hash of all that is known of one. */
  flow_ends: { id: string; cluster: string; key: string; namespace: string; seen_at: number; body: string };
  /** What a client did with a port of a server within an hour, as one node saw it; `id` is a hash of all that names it. */
  flow_hours: {
    id: string;
    hour: number;
    cluster: string;
    node: string;
    side: string;
    /** Ids of ends. */
    client: string;
    server: string;
    port: number;
    protocol: string;
    /** Id among `flow_pairs`. */
    pair: string;
    /** JSON: versions of TLS, protocols in clear text, programs, policies that denied. */
    words: string;
    connections: number;
    flows: number;
    bytes_out: number;
    bytes_in: number;
    established: number;
    refused: number;
    timed_out: number;
    denied: number;
    unknown: number;
    encrypted: number;
    credential: number;
    first_at: number;
    last_at: number;
  };
  /** When workloads first used a port of another; `id` is a hash of both, port and protocol. */
  flow_pairs: { id: string; cluster: string; first_seen: number; last_seen: number };
  /** Times of which a node told without a break. */
  flow_watches: { node: string; since: number; until: number; cluster: string };
  /** Rows of an hour that a node has filled, and flows that found no room in it. */
  flow_nodes: { node: string; hour: number; cluster: string; edges: number; lost: number };
  /** Network policies that were published; `before` is what undoes them, JSON. */
  network_documents: {
    id: string;
    cluster: string;
    created_at: number;
    state: string;
    confirm_before: number | null;
    body: string;
    before: string;
  };
  leases: { name: string; holder: string; until: number };
}

export type Tx = Transaction<Schema>;
