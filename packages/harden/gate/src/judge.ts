import type { AdmissionRequest, Json } from "@bulwark/admission";
import { errorText, type AdmissionOutcome, type PolicyMode } from "@bulwark/model";
import { glassOf, mayBypass, type Glass } from "./break-glass.ts";
import type { Answer, Finding, Guard, Surroundings } from "./guard.ts";
import { patchOf, type AdmissionResponse } from "./review.ts";

/** What one policy said of a request. */
export interface Ruling {
  readonly policy: string;
  readonly mode: PolicyMode;
  readonly outcome: AdmissionOutcome;
  readonly rule: number;
  readonly reason: string;
  /** Milliseconds. */
  readonly duration: number;
}

export interface Judgement {
  readonly response: AdmissionResponse;
  /** Nothing for policies that let it through. */
  readonly rulings: readonly Ruling[];
  /** Policies that were about this request. */
  readonly asked: readonly string[];
}

interface Time {
  /** Milliseconds since the epoch: what a policy's date and a broken glass are held against. */
  readonly now: number;
  /** On the clock of `performance.now()`: what is not known then is answered by each policy's own failure policy. */
  readonly deadline: number;
}

/** What a policy does at this moment: one whose date has not come observes. */
export function modeOf({ setting }: Pick<Guard, "setting">, now: number): PolicyMode {
  return setting.from !== null && now < setting.from ? "observe" : setting.mode;
}

/**
 * Asks every policy about a request: mutating ones in turn, each about what the one before has made of it; then validating
 * ones, those that know by themselves first. A request that one of these refuses is not held up by the others.
 */
export async function judge(
  request: AdmissionRequest,
  guards: readonly Guard[],
  surroundings: Surroundings,
  time: Time,
): Promise<Judgement> {
  const rulings: Ruling[] = [];
  const asked: string[] = [];
  const glass = glassOf(request, time.now);
  // The same object for every policy until one changes it: what they work out of it is remembered by it.
  let now = request;
  let unasked = 0;
  for (const guard of inTurn(guards)) {
    if (guard.setting.excludedNamespaces.includes(request.namespace)) continue;
    if (guard.slow && rulings.some(({ outcome }) => outcome === "denied")) {
      unasked++;
      continue;
    }
    const mode = modeOf(guard, time.now);
    const begun = performance.now();
    const given = inTime(guard, now, surroundings, time.deadline - begun);
    // Most know at once: to wait for each of them would cost more than to ask some.
    const answer = given instanceof Promise ? await given : given;
    if (typeof answer === "string") {
      rulings.push(missed(guard, mode, answer, performance.now() - begun));
      continue;
    }
    if (!answer.applies) continue;
    asked.push(guard.name);
    for (const finding of answer.findings) {
      const ruling = ruled(finding, { guard, mode, glass, request, surroundings, begun });
      rulings.push(ruling instanceof Promise ? await ruling : ruling);
    }
    if (answer.findings.length > 0 || answer.object === now.object) continue;
    const changes = patchOf(now.object, answer.object).patch;
    if (changes === undefined) continue;
    const reason = Buffer.from(changes, "base64").toString("utf8").slice(0, 2048);
    const outcome = mode === "enforce" ? "changed" : mode === "warn" ? "warned" : "observed";
    rulings.push({ policy: guard.name, mode, outcome, rule: 0, reason, duration: performance.now() - begun });
    if (mode === "enforce") now = about(now, answer.object);
  }
  return { response: respond(request, rulings, now.object, unasked), rulings, asked };
}

/** The order in which they are asked; worked out once for a list that stays the same. */
function inTurn(guards: readonly Guard[]): readonly Guard[] {
  const known = sorted.get(guards) ?? guards.toSorted(byTurn);
  sorted.set(guards, known);
  return known;
}
const sorted = new WeakMap<readonly Guard[], readonly Guard[]>();

/** The same request about what a policy has made of its object. */
function about(request: AdmissionRequest, object: Json | null): AdmissionRequest {
  return { ...request, object };
}

/** Mutations by name, then what knows by itself, then what has to ask. */
function byTurn(a: Guard, b: Guard): number {
  const turn = ({ side, slow }: Guard): number => (side === "mutate" ? 0 : 2) + (slow ? 1 : 0);
  return turn(a) - turn(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** The answer, or why there is none. */
function inTime(
  guard: Guard,
  request: AdmissionRequest,
  surroundings: Surroundings,
  left: number,
): Promise<Answer | string> | Answer | string {
  if (left <= 0) return "there was no time left to ask it";
  try {
    const answer = guard.ask(request, surroundings);
    return answer instanceof Promise ? within(answer, left) : answer;
  } catch (error) {
    return errorText(error);
  }
}

async function within(answer: Promise<Answer>, left: number): Promise<Answer | string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, left, "it did not answer in time");
  try {
    return await Promise.race([answer, promise]);
  } catch (error) {
    return errorText(error);
  } finally {
    clearTimeout(timer);
  }
}

function missed({ name, setting }: Guard, mode: PolicyMode, reason: string, duration: number): Ruling {
  const denies = mode === "enforce" && setting.failurePolicy === "Fail";
  const outcome = denies ? "denied" : "missed";
  return { policy: name, mode, outcome, rule: -1, reason: reason.slice(0, 2048), duration };
}

interface Found {
  guard: Guard;
  mode: PolicyMode;
  glass: Glass;
  request: AdmissionRequest;
  surroundings: Surroundings;
  begun: number;
}

function ruled(finding: Finding, found: Found): Ruling | Promise<Ruling> {
  const { mode, glass } = found;
  const { message, severity } = finding;
  if (mode === "observe" || severity === "audit") return ruling(finding, found, "observed", message);
  if (mode === "warn" || severity === "warn") return ruling(finding, found, "warned", message);
  return glass === null ? ruling(finding, found, "denied", message) : throughGlass(finding, found, glass);
}

async function throughGlass(finding: Finding, found: Found, glass: NonNullable<Glass>): Promise<Ruling> {
  const { guard, request, surroundings } = found;
  const { message } = finding;
  const refusal = "refusal" in glass ? glass.refusal : await mayBypass(guard.name, request, surroundings);
  if (refusal !== null || "refusal" in glass) {
    return ruling(finding, found, "denied", `${message} (the glass stays whole: ${refusal})`);
  }
  const until = new Date(glass.until).toISOString();
  const reason = `bypassed by ${request.userInfo.username} until ${until}: ${glass.reason}`;
  return ruling(finding, found, "bypassed", `${message} (${reason})`);
}

function ruling({ rule }: Finding, { guard, mode, begun }: Found, outcome: AdmissionOutcome, reason: string): Ruling {
  const duration = performance.now() - begun;
  return { policy: guard.name, mode, outcome, rule, reason: reason.slice(0, 2048), duration };
}

/** The API server cuts what is longer. */
const warningLimit = 240;
const messageLimit = 4096;

function respond(
  { uid, object: before }: AdmissionRequest,
  rulings: readonly Ruling[],
  after: Json | null,
  unasked: number,
): AdmissionResponse {
  const denied = rulings.filter(({ outcome }) => outcome === "denied");
  const told = rulings.filter(({ outcome }) => outcome === "warned" || outcome === "bypassed");
  const warnings = told.map(({ policy, outcome, reason, mode }) =>
    `${policy}: ${outcome === "bypassed" || mode === "enforce" ? reason : `${reason} (mode ${mode})`}`.slice(
      0,
      warningLimit,
    ),
  );
  const shared = { uid, ...(warnings.length > 0 && { warnings }), ...annotationsOf(rulings) };
  if (denied.length === 0) return { ...shared, allowed: true, ...patchOf(before, after) };
  const rest = unasked === 0 ? "" : `; ${unasked} more policies were not asked`;
  const message = `${denied.map(({ policy, reason }) => `${policy}: ${reason}`).join("; ")}${rest}`;
  return {
    ...shared,
    allowed: false,
    status: { code: 403, reason: "Forbidden", message: message.slice(0, messageLimit) },
  };
}

/** One for each outcome, with the policies that it is of; the API server puts the webhook's name before the key. */
function annotationsOf(rulings: readonly Ruling[]): Pick<AdmissionResponse, "auditAnnotations"> {
  if (rulings.length === 0) return {};
  const entries = [...Map.groupBy(rulings, ({ outcome }) => outcome)].map(([outcome, list]) => {
    const text = [...new Set(list.map(({ policy }) => policy))].join(",");
    return [outcome, (outcome === "bypassed" ? list.map(({ reason }) => reason).join("; ") : text).slice(0, 1024)];
  });
  return { auditAnnotations: Object.fromEntries(entries) as Record<string, string> };
}
