import { endText, type Flow } from "@bulwark/flow";
import { createBounded } from "./bounded.ts";
import type { Context, Detector, Sight } from "./detector.ts";

/** A sight that a person should look at. */
export interface Anomaly {
  readonly detector: string;
  readonly title: string;
  readonly severity: Detector["severity"];
  readonly techniques: readonly string[];
  readonly score: number;
  /** When, in ms since the epoch. */
  readonly time: number;
  /** Whose doing: a workload, or an address. */
  readonly subject: string;
  readonly peer: string;
  readonly port: number;
  readonly explanation: string;
  readonly evidence: Sight["evidence"];
}

export interface Run {
  see(flow: Flow): void;
  /** What each detector forgot for want of room; only those that did. */
  forgotten(): Readonly<Record<string, number>>;
}

/** The same sight again within this time says nothing new. */
const quiet = 3_600_000;
const mostSubjects = 20_000;
const mostSights = 100_000;
const mostWeak = 8;

interface Held {
  readonly anomaly: Anomaly;
}

/** Shows every flow to every detector. Weak sights wait until another detector sees the same subject. */
export function createRun(detectors: readonly Detector[], context: Context, emit: (anomaly: Anomaly) => void): Run {
  const watchers = detectors.map((detector) => ({ detector, watcher: detector.start(context) }));
  const last = createBounded(mostSights, () => ({ time: -Infinity }));
  const subjects = createBounded(mostSubjects, () => ({ weak: [] as Held[], seen: new Map<string, number>() }));

  function take(anomaly: Anomaly, weak: boolean): void {
    const subject = subjects.of(anomaly.subject);
    subject.weak = subject.weak.filter(({ anomaly: { time } }) => anomaly.time - time <= quiet);
    subject.seen.set(anomaly.detector, anomaly.time);
    const beside = [...subject.seen].some(([id, time]) => id !== anomaly.detector && anomaly.time - time <= quiet);
    if (weak && !beside) {
      if (subject.weak.length < mostWeak) subject.weak.push({ anomaly });
      return;
    }
    emit(anomaly);
    const [released, kept] = [[] as Held[], [] as Held[]];
    for (const held of subject.weak) (held.anomaly.detector === anomaly.detector ? kept : released).push(held);
    subject.weak = kept;
    for (const held of released) emit(held.anomaly);
  }

  return {
    see(flow) {
      for (const { detector, watcher } of watchers) {
        const sight = watcher.see(flow);
        if (!sight) continue;
        const subject = endText(flow.client);
        const peer = endText(flow.server);
        const before = last.of(`${detector.id}\n${subject}\n${sight.about ?? `${peer} ${flow.port}`}`);
        if (flow.first - before.time < quiet) continue;
        before.time = flow.first;
        const { id, title, severity, techniques } = detector;
        const { score, explanation, evidence, weak = false } = sight;
        const about = { subject, peer, port: flow.port, explanation, evidence };
        take({ detector: id, title, severity, techniques, score, time: flow.first, ...about }, weak);
      }
    },
    forgotten: () =>
      Object.fromEntries(
        watchers.flatMap(({ detector, watcher }) => (watcher.forgotten > 0 ? [[detector.id, watcher.forgotten]] : [])),
      ),
  };
}
