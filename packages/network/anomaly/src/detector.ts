import type { Flow } from "@bulwark/flow";
import type { BadList } from "./bad-list.ts";
import type { Profile } from "./profile.ts";

/** What flows must tell for a detector to see anything. */
export type Need = "addresses" | "results" | "bytes" | "dns" | "tls" | "baseline" | "list";

/** What a detector saw. */
export interface Sight {
  /** 0 to 1: how far from ordinary. */
  readonly score: number;
  /** Why, in a sentence with the figures that decided. */
  readonly explanation: string;
  readonly evidence: readonly { readonly key: string; readonly value: string }[];
  /** Says nothing alone: becomes an alert only beside the sight of another detector on the same subject. */
  readonly weak?: boolean;
  /** What tells two sights of one subject apart; the server when absent. */
  readonly about?: string;
}

/** What detectors are given beside the flows. */
export interface Context {
  /** What is ordinary; null without a time of learning. */
  readonly profile: Profile | null;
  readonly badList: BadList | null;
}

export interface Watcher {
  /** Flows come about in the order of their time; one that is late is taken as of its time. */
  see(flow: Flow): Sight | undefined;
  /** What was forgotten because there was no more room. */
  readonly forgotten: number;
}

/** One detector. A new one is a file in `detectors/` and a word in `detectors/index.ts`. */
export interface Detector {
  readonly id: string;
  readonly title: string;
  readonly severity: "low" | "medium" | "high";
  /** MITRE ATT&CK for Enterprise. */
  readonly techniques: readonly string[];
  readonly needs: readonly Need[];
  start(context: Context): Watcher;
}

/** A watcher without a memory. */
export function stateless(see: (flow: Flow) => Sight | undefined): Watcher {
  return { see, forgotten: 0 };
}
