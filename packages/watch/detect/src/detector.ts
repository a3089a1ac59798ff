import type { Attribution, Container, Evidence, Severity } from "@bulwark/model";
import type { ActivityRecord, SensorRecord } from "@bulwark/sensor";
import type { Entry, ProcessTable } from "./process-table.ts";

/** What happened, to a process that the table has already taken in. */
export type Observation<Kind extends ObservationKind = ObservationKind> = Context & Extract<Happened, { kind: Kind }>;
export type ObservationKind = Happened["kind"];
export type Happened = Life | Done;

/** What every observation has. */
interface Context {
  process: Entry;
  table: ProcessTable;
  /** Undefined: of the host, or of nobody known. */
  container: Container | undefined;
  /** Which of the two it is; absent where nobody says. */
  attribution?: Attribution;
  /** Milliseconds since the epoch at which it happened. */
  time: number;
}

/** `look`: its descriptors were looked at a while after it connected; there is no record of that. */
type Life = {
  [Kind in "exec" | "fork" | "exit" | "connect" | "look"]: { kind: Kind; record?: SensorRecord };
}["exec" | "fork" | "exit" | "connect" | "look"];

type Done = {
  [Kind in ActivityRecord["type"]]: { kind: Kind; record: Extract<ActivityRecord, { type: Kind }> };
}[ActivityRecord["type"]];

const everyKind: Record<ObservationKind, true> = {
  ...{ exec: true, fork: true, exit: true, connect: true, look: true },
  ...{ call: true, socket: true, file: true, setting: true, device: true, signal: true, dns: true, flood: true },
};
export const observationKinds = Object.keys(everyKind) as readonly ObservationKind[];

/** A detector's verdict on one observation. */
export interface Detection {
  /** The process that the alert is about; not always the one that was observed. */
  subject: Entry;
  evidence: Evidence[];
  /** The same key within an hour is the same alert, and is not raised again. */
  key: string;
  severity?: Severity;
  techniques?: string[];
  /** Of a detector that stands for many rules: the one that matched. */
  rule?: Pick<Detector, "id" | "title" | "description" | "remedy">;
  /** Not raised where a detector before it has spoken of the same observation: one deed is one alert. */
  yields?: boolean;
}

/** One detection. A new one is a file in `detectors/` and a line in its index, with cases beside it. */
export interface Detector {
  id: string;
  title: string;
  description: string;
  /** What to do about it. */
  remedy: string;
  severity: Severity;
  /** MITRE ATT&CK. */
  techniques: string[];
  /** What it looks at: it is asked of nothing else. */
  needs: readonly ObservationKind[];
  /** Pure, or with a state of its own that has a bound: `createDetectors` makes a new one for each pipeline. */
  detect(observation: Observation): Detection | readonly Detection[] | undefined;
}

/** A detector whose `detect` knows the kinds that it needs: whoever asks it does so of no others. */
export function defineDetector<const Kind extends ObservationKind>(
  detector: Omit<Detector, "needs" | "detect"> & {
    needs: readonly Kind[];
    detect(observation: Observation<Kind>): ReturnType<Detector["detect"]>;
  },
): Detector {
  return { ...detector, detect: (observation) => detector.detect(observation as Observation<Kind>) };
}
