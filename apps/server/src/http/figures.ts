import { counter, gauge, histogram } from "@bulwark/telemetry";

/** The server's metrics, all in one place. */
export const count = {
  requests: histogram(
    "http_request_seconds",
    "Time from the last header to the last byte of the answer",
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    ["method", "route", "status"],
  ),
  logins: counter("logins_total", "Logins: accepted, refused, slowed", ["result"]),
  records: counter("ingest_records_total", "Records taken in, repeated ones included", ["type"]),
  batches: counter("ingest_batches_total", "Batches: stored, refused, full, failed", ["result"]),
  enrolments: counter("agent_enrolments_total", "Certificates for agents: joined, renewed, refused", ["result"]),
  audit: counter("kubernetes_audit_total", "Records of API servers' audit logs", ["cluster", "result"]),
  kubeChanges: counter("kubernetes_changes_total", "Changes of clusters: written, unreadable, dropped", [
    "cluster",
    "result",
  ]),
  kubeLists: counter("kubernetes_lists_total", "Whole lists of a kind that were read", ["cluster"]),
  reviews: histogram(
    "admission_review_seconds",
    "Reviews of admission, from the last byte read to the verdict",
    [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    ["side", "allowed"],
  ),
  rulings: counter("admission_rulings_total", "What policies found and what was done about it", [
    "policy",
    "outcome",
    "mode",
  ]),
  reviewsTurnedAway: counter("admission_turned_away_total", "Reviews without a verdict", ["why"]),
  decisionsDropped: counter("admission_decisions_dropped_total", "Decisions that were not written down"),
  streamClients: gauge("stream_clients", "Open live streams"),
  streamCut: counter("stream_cut_total", "Live streams ended by the server", ["reason"]),
  publishFailed: counter("publish_failed_total", "Messages that the bus did not take", ["subject"]),
  newsDropped: counter(
    "live_news_dropped_total",
    "Changes of which open pages were not told, because too many waited",
    ["what"],
  ),
  flowClaims: counter("flow_claims_total", "Ends of flows that a node called its own pods: refused, unknown", [
    "result",
  ]),
  storeBytes: gauge("store_bytes", "Size of the database"),
  storeFree: gauge("store_free_bytes", "Free room for the database, where it is on this machine"),
  jobs: histogram("job_seconds", "Runs of jobs", [0.01, 0.1, 1, 10, 60, 600], ["job", "result"]),
  matched: counter("images_matched_total", "Images matched against the advisory database"),
};
