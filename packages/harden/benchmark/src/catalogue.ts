import type { BenchmarkDocument, SetDocument, TopicDocument } from "./document.ts";
import type { Library } from "./load.ts";

/** What is said of checks and sets, without what runs them: plain data, which goes from thread to thread. */
export interface Catalogue {
  readonly sets: readonly SetInfo[];
  readonly topics: ReadonlyMap<string, TopicDocument>;
  readonly checks: { readonly host: readonly CheckInfo[]; readonly cluster: readonly CheckInfo[] };
}
export type SetInfo = Pick<SetDocument, "id" | "title" | "version" | "of" | "about">;
export type CheckInfo = Pick<
  BenchmarkDocument,
  "id" | "title" | "severity" | "why" | "remedy" | "references" | "topic" | "in" | "level" | "answers" | "maps" | "fix"
>;

export function catalogueOf({ sets, topics, checks }: Library): Catalogue {
  const infoOf = (check: CheckInfo): CheckInfo => {
    const { id, title, severity, why, remedy, references, topic, level, answers, maps, fix } = check;
    return { id, title, severity, why, remedy, references, topic, in: check.in, level, answers, maps, fix };
  };
  return {
    sets: sets.map(({ id, title, version, of, about }) => ({ id, title, version, of, about })),
    topics,
    checks: { host: checks.host.map(infoOf), cluster: checks.cluster.map(infoOf) },
  };
}
