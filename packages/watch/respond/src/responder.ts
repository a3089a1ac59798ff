import { randomUUID } from "node:crypto";
import type { Container } from "@bulwark/model";
import type { ActionRecord, ActionRequest, ActionState, Attempt } from "./action.ts";
import { freeze } from "./actions/freeze.ts";
import { kill } from "./actions/kill.ts";

export interface ResponderOptions {
  /**
   * What a person allowed for this container: `observe` says what would be done and does nothing. The default of whoever
   * has no word for it is undefined, and then it is refused.
   */
  modeOf(container: Container, kind: ActionRequest["kind"]): "observe" | "enforce" | undefined;
  /** Every request and its end, refused and failed ones too. */
  audit(record: ActionRecord): void;
  now?(): number;
}

export interface Responder extends AsyncDisposable {
  act(request: ActionRequest): Promise<ActionRecord>;
  /** Undoes what can be undone. Undefined: there is no such action, or it is undone already. */
  undo(id: string, by: string): Promise<ActionRecord | undefined>;
  readonly counters: Readonly<Record<ActionState, number>>;
}

/** The longest that anything may last that undoes itself. */
const longestMs = 24 * 3_600_000;

/** A record before it is known how it ended. */
type Open = Omit<ActionRecord, "state" | "text" | "remedy">;

interface Lasting {
  record: Open;
  undo(): Promise<string>;
  timer: NodeJS.Timeout;
}

/**
 * Does what was asked for, where a person allowed it. What can be undone undoes itself when its time is over, and when the
 * responder ends: a freeze that nobody remembers is an outage.
 */
export function createResponder(options: ResponderOptions): Responder {
  const now = options.now ?? Date.now;
  const lasting = new Map<string, Lasting>();
  const counters: Record<ActionState, number> = { "dry-run": 0, done: 0, undone: 0, refused: 0, failed: 0 };

  return {
    counters,
    async act(request) {
      const record = recordOf(request);
      const mode = options.modeOf(request.container, request.kind);
      if (mode === undefined) {
        return told(
          record,
          "refused",
          "nobody allowed this for the container",
          "Allow it in a policy whose scope has the container.",
        );
      }
      if (mode === "observe") return told(record, "dry-run", `would ${request.kind} in ${request.container.id}`, "");
      const attempt = await attemptOf(request);
      if (!attempt.ok) return told(record, "failed", attempt.text, attempt.remedy);
      if (request.kind !== "freeze" || attempt.undo === undefined) return told(record, "done", attempt.text, "");
      const limit = Math.min(Math.max(request.limitMs, 0), longestMs);
      const done: Open = { ...record, until: now() + limit };
      const timer = setTimeout(() => void undo(record.id, "time limit"), limit);
      lasting.set(record.id, { record: done, undo: attempt.undo, timer });
      return told(done, "done", attempt.text, "");
    },
    undo,
    async [Symbol.asyncDispose]() {
      await Promise.all([...lasting.keys()].map(async (id) => undo(id, "end of the responder")));
    },
  };

  async function undo(id: string, by: string): Promise<ActionRecord | undefined> {
    const found = lasting.get(id);
    if (found === undefined) return undefined;
    lasting.delete(id);
    clearTimeout(found.timer);
    const record = { ...found.record, by, time: now(), until: null };
    try {
      return told(record, "undone", await found.undo(), "");
    } catch (error) {
      // A container that has ended needs no thawing.
      const text = error instanceof Error ? error.message : String(error);
      return told(record, "failed", text, "If the container still runs, thaw it by hand: see the file that is named.");
    }
  }

  function recordOf({ kind, container, by, reason }: ActionRequest): Open {
    return { id: randomUUID(), time: now(), kind, container: container.id, by, reason, until: null };
  }

  function told(record: Open, state: ActionState, text: string, remedy: string): ActionRecord {
    counters[state]++;
    const full = { ...record, state, text, remedy };
    options.audit(full);
    return full;
  }
}

async function attemptOf(request: ActionRequest): Promise<Attempt> {
  return request.kind === "kill" ? kill(request.process, request.container) : freeze(request.container);
}
