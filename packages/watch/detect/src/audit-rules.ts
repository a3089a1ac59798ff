import { toApiRequest } from "@bulwark/kube/audit";
import type { Alert, AuditEvent, ToldRepeats } from "@bulwark/model";
import { auditRuleEvent, type Engine, type Match } from "@bulwark/rules";
import { ruleAlert } from "./detectors/rules.ts";
import { Repeats } from "./repeats.ts";

/** A record of an audit log. `item`: that which the event was made of, with what is not kept of it. */
export interface AuditRead {
  event: AuditEvent;
  item: unknown;
}

/**
 * Requests to an API server, as its audit log has them, against the rules of the source `k8s_audit`. The same alert comes
 * once an hour, and what comes again meanwhile is told as that; a record that is read twice, by webhook and by file, gives
 * the same id.
 */
export class AuditRules {
  readonly #engine: Pick<Engine, "match">;
  readonly #repeats = new Repeats();

  constructor(engine: Pick<Engine, "match">) {
    this.#engine = engine;
  }

  judge(read: readonly AuditRead[], now: number): { alerts: Alert[]; repeats: ToldRepeats[] } {
    const alerts = new Map<string, Alert>();
    const repeats: ToldRepeats[] = [];
    for (const { event, item } of read) {
      for (const match of this.#engine.match(auditRuleEvent(item, event.audit.cluster))) {
        const alert = toAlert(match, event, item);
        const key = keyOf(alert);
        const raised = alerts.get(key)?.id ?? this.#repeats.raisedAs(key, now);
        if (raised === undefined) alerts.set(key, alert);
        // Else it is the same request: in its next stage, or read again.
        else if (raised !== alert.id) repeats.push({ alert: raised, count: 1, last: alert.time, id: alert.id });
      }
    }
    return { alerts: [...alerts.values()], repeats };
  }

  /** They are kept: the same ones are not told again. */
  raised(alerts: readonly Alert[], now: number): void {
    for (const alert of alerts) this.#repeats.note(keyOf(alert), now, alert.id);
  }
}

function toAlert(match: Match, event: AuditEvent, item: unknown): Alert {
  const { audit } = event;
  const told = ruleAlert(match);
  const actedAs = audit.impersonated === "" ? [] : [{ key: "impersonated", value: audit.impersonated }];
  return {
    ...told,
    // Without the stage: a request that lasts is told when it begins and when it ends.
    id: `${event.id.slice(0, event.id.lastIndexOf("/"))}/${match.rule.id}`.slice(0, 512),
    time: event.time,
    node: event.node,
    evidence: [...told.evidence.slice(0, 62), ...actedAs],
    attribution: "unknown",
    container: null,
    process: null,
    request: toApiRequest(audit, item),
    ancestors: [],
    events: [event.id],
  };
}

/** The output names who did what to which. */
function keyOf({ rule, request, evidence }: Alert): string {
  return `${rule}\u0000${request?.cluster ?? ""}\u0000${evidence[0]?.value ?? ""}`;
}
