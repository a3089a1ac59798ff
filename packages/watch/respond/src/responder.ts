import type { Action, ActionKind, ActionRecord, ActionState, Container } from "@bulwark/model";
import type { Attempt, Counts, Handler, Means, Subject } from "./action.ts";
import { handlers } from "./actions/index.ts";
import { whyProtected } from "./protected.ts";

/** What a person allowed for a container. */
export interface Allowance {
  /** `observe` says what would be done, and does nothing. */
  mode: "observe" | "enforce";
  /** The system's own namespace is meant too. */
  system: boolean;
}

export interface ResponderOptions {
  node: string;
  means: Means;
  /** Undefined: nobody said anything for this container, so nothing is done to it. */
  allowanceOf(container: Container, kind: ActionKind): Allowance | undefined;
  /** Every request and what became of it, refused and failed ones too, again whenever that changes. */
  audit(record: ActionRecord): void;
  now?(): number;
}

export interface ActionRequest {
  id: string;
  action: Action;
  container: Container;
  /** The alert that it answers. */
  alert: string | null;
  /** Who wants it, and why. */
  by: string;
  reason: string;
  /** Say what would be done, and do nothing. */
  dryRun?: boolean;
  /** Instead of what is allowed to persons: a policy that acts by itself. */
  allowance?: Allowance;
}

export interface Responder extends AsyncDisposable {
  act(request: ActionRequest): Promise<ActionRecord>;
  /** Undoes what can be undone. Undefined: there is no such action, or it is undone already. */
  undo(id: string, by: string): Promise<ActionRecord | undefined>;
  /** Whether this is done to the container now. */
  isLasting(container: string, kind: ActionKind): boolean;
  readonly lasting: number;
  /** What lasts now. */
  all(): ActionRecord[];
  readonly counters: Readonly<Record<ActionState, number>>;
}

interface Lasting {
  record: ActionRecord;
  /** Undefined until it is done. */
  undo: (() => Promise<string>) | undefined;
  timer: NodeJS.Timeout | undefined;
}

const mostLasting = 200;
const noCounts: Record<ActionState, number> = {
  ordered: 0,
  "dry-run": 0,
  done: 0,
  undone: 0,
  refused: 0,
  failed: 0,
  expired: 0,
};

/**
 * Does what was asked for, where a person allowed it. What can be undone undoes itself when its time is over, and when the
 * responder ends: a freeze that nobody remembers is an outage.
 */
export function createResponder(options: ResponderOptions): Responder {
  const now = options.now ?? Date.now;
  const lasting = new Map<string, Lasting>();
  const counters = { ...noCounts };

  return {
    counters,
    get lasting() {
      return lasting.size;
    },
    async act(request) {
      const { id, action, container } = request;
      const record = recordOf(request);
      const refusal = refusalOf(request);
      if (refusal) return told(record, "refused", refusal.text, refusal.remedy);
      const handler = handlers[action.kind] as Handler<Action>;
      const subject: Subject = {
        action,
        container,
        means: options.means,
        told: (counts) => counted(id, counts),
        over: (why) => ended(id, why),
      };
      const observes = allowanceFor(request)?.mode === "observe";
      if (request.dryRun === true || observes) {
        const lack = await handler.lack(subject);
        const plan = handler.plan(action, container);
        const text = lack ? `would ${plan}, but cannot: ${lack.text}` : `would ${plan}`;
        return told(record, "dry-run", text, lack?.remedy ?? "");
      }
      const place: Lasting = { record, undo: undefined, timer: undefined };
      if ("limitMs" in action) lasting.set(id, place);
      const attempt = await handler.act(subject).catch((error: unknown): Attempt => {
        return { ok: false, text: String(error), remedy: "This is a defect; please report it." };
      });
      if (!attempt.ok || attempt.undo === undefined || !("limitMs" in action)) {
        lasting.delete(id);
        if (attempt.ok) return told(record, "done", attempt.text, "");
        return told(record, "failed", attempt.text, attempt.remedy);
      }
      place.undo = attempt.undo;
      place.timer = setTimeout(() => void undo(id, "time limit"), action.limitMs);
      place.record = { ...record, until: now() + action.limitMs };
      return told(place.record, "done", attempt.text, "");
    },
    undo,
    all: () => Array.from(lasting.values(), ({ record }) => record),
    isLasting: (container, kind) => lastingOf(container, kind) !== undefined,
    async [Symbol.asyncDispose]() {
      await Promise.all([...lasting.keys()].map(async (id) => undo(id, "end of the responder")));
    },
  };

  function allowanceFor({ allowance, container, action }: ActionRequest): Allowance | undefined {
    return allowance ?? options.allowanceOf(container, action.kind);
  }

  function refusalOf(request: ActionRequest): { text: string; remedy: string } | undefined {
    const { container, action, dryRun } = request;
    const allowance = allowanceFor(request);
    const forbidden = whyProtected(container, allowance?.system ?? false);
    if (forbidden !== undefined) return { text: forbidden, remedy: "Name a container that is not of the system." };
    if (allowance === undefined && dryRun !== true) {
      return {
        text: "nobody allowed this for the container",
        remedy: "Allow it in a response policy whose scope has the container.",
      };
    }
    const other = lastingOf(container.id, action.kind);
    if (other) return { text: `this is done to the container already, as ${other.id}`, remedy: "Undo that first." };
    if (lasting.size < mostLasting) return undefined;
    return { text: `${mostLasting} actions last on this node already`, remedy: "Undo what is not needed any more." };
  }

  function lastingOf(container: string, kind: ActionKind): ActionRecord | undefined {
    return [...lasting.values()].find(({ record }) => record.container === container && record.action.kind === kind)
      ?.record;
  }

  async function undo(id: string, by: string): Promise<ActionRecord | undefined> {
    const found = lasting.get(id);
    if (found?.undo === undefined) return undefined;
    lasting.delete(id);
    clearTimeout(found.timer);
    const record = { ...found.record, by, time: now(), until: null };
    try {
      return told(record, "undone", `${await found.undo()} (${by})`, "");
    } catch (error) {
      // A container that has ended needs no thawing.
      const text = error instanceof Error ? error.message : String(error);
      return told(record, "failed", text, "If the container still runs, see what the action is and undo it by hand.");
    }
  }

  /** It ended by itself. */
  function ended(id: string, why: string): void {
    const found = lasting.get(id);
    if (!found) return;
    lasting.delete(id);
    clearTimeout(found.timer);
    told({ ...found.record, time: now(), until: null }, "undone", why, "");
  }

  function counted(id: string, counts: Counts): void {
    const found = lasting.get(id);
    if (!found) return;
    found.record = { ...found.record, counts, time: now() };
    if (found.record.state === "done") options.audit(found.record);
  }

  function recordOf({ id, action, container, alert, by, reason }: ActionRequest): ActionRecord {
    return {
      id,
      node: options.node,
      time: now(),
      action,
      container: container.id,
      containerName: container.pod
        ? `${container.pod.namespace}/${container.pod.name}/${container.name}`
        : container.name,
      alert,
      by,
      reason,
      state: "ordered",
      text: "",
      remedy: "",
      until: null,
      counts: null,
    };
  }

  function told(record: ActionRecord, state: ActionState, text: string, remedy: string): ActionRecord {
    counters[state]++;
    const full = { ...record, state, text: text.slice(0, 2048), remedy: remedy.slice(0, 2048) };
    const place = lasting.get(record.id);
    if (place) place.record = full;
    options.audit(full);
    return full;
  }
}
