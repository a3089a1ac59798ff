import { compileChecks, type Check, type CheckDocument } from "@bulwark/check";
import { contentFolder, invalid, readContent, readDocuments, type ContentDocument } from "@bulwark/content";
import { clusterVariables } from "./cluster.ts";
import { hostVariables } from "./collect.ts";
import { benchmarkDocument, setDocument, topicDocument } from "./document.ts";
import type { BenchmarkDocument, SetDocument, TopicDocument } from "./document.ts";
import { expandRows, rowsDocument } from "./rows.ts";

export type BenchmarkCheck = Check<BenchmarkDocument>;
/** A set of checks under one name, such as a benchmark of CIS. As a check it passes where it is about the subject. */
type BenchmarkSet = Check<SetCheck>;
type SetCheck = CheckDocument & Omit<SetDocument, "applies" | "otherwise">;

/** All that `content/checks` has for hosts and clusters. */
export interface Library {
  readonly sets: readonly BenchmarkSet[];
  readonly topics: ReadonlyMap<string, TopicDocument>;
  readonly checks: { readonly host: readonly BenchmarkCheck[]; readonly cluster: readonly BenchmarkCheck[] };
}

const variablesOf = { host: hostVariables, cluster: clusterVariables };
let loaded: Library | undefined;

/** Read once. Raises `ContentError` with the place of what is wrong. */
export function loadLibrary(): Library {
  loaded ??= read();
  return loaded;
}

function read(): Library {
  const documents = readDocuments(readContent(contentFolder("checks/sets")), setDocument);
  const sets = documents.flatMap((document) => compileChecks([asCheck(document)], variablesOf[document.value.of]));
  const topicList = readDocuments(readContent(contentFolder("checks/topics")), topicDocument);
  const topics = new Map(topicList.map(({ value }) => [value.id, value]));
  const checks = { host: readChecks("host", sets, topics), cluster: readChecks("cluster", sets, topics) };
  return { sets, topics, checks };
}

function asCheck({ value, place }: ContentDocument<SetDocument>): ContentDocument<SetCheck> {
  const { applies, otherwise, ...set } = value;
  const plain = { severity: "low" as const, why: set.about, remedy: "none", evidence: {} };
  return {
    value: { ...set, ...plain, references: [], tags: [], cases: [], pass: applies, reason: otherwise },
    place: (path) => place(path?.map((step) => (step === "pass" ? "applies" : step === "reason" ? "otherwise" : step))),
  };
}

function readChecks(
  of: "host" | "cluster",
  sets: readonly BenchmarkSet[],
  topics: ReadonlyMap<string, TopicDocument>,
): BenchmarkCheck[] {
  const raw = readDocuments(readContent(contentFolder(`checks/${of}`)), rowsDocument);
  const documents = expandRows(raw, benchmarkDocument);
  for (const { value, place } of documents) {
    const unknown = Object.keys(value.in).find((name) => !sets.some((set) => set.id === name && set.of === of));
    if (unknown !== undefined) throw invalid(place(["in"]), `no set ${unknown} of a ${of}`);
    if (!topics.has(value.topic)) throw invalid(place(["topic"]), `no topic ${value.topic}`);
  }
  return compileChecks(documents, variablesOf[of]);
}
