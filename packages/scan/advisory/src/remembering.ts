import type { AdvisoryDatabase, Entry } from "./database.ts";

/**
 * The same database, which is asked everything once: the packages of one source ask for the same advisories, and many
 * packages have the same weakness. For one inventory, because it grows with the answers.
 */
export function remembering(database: AdvisoryDatabase): AdvisoryDatabase {
  const entries = new Map<string, Entry[]>();
  return {
    ...database,
    affected(ecosystem, packageName) {
      const key = `${ecosystem}\u0000${packageName}`;
      const known = entries.get(key) ?? database.affected(ecosystem, packageName);
      entries.set(key, known);
      return known;
    },
    advisory: once(database.advisory),
    rating: once(database.rating),
    isExploited: once(database.isExploited),
    epss: once(database.epss),
  };
}

function once<Key, Answer>(ask: (key: Key) => Answer): (key: Key) => Answer {
  const answers = new Map<Key, { answer: Answer }>();
  return (key) => {
    const known = answers.get(key) ?? { answer: ask(key) };
    answers.set(key, known);
    return known.answer;
  };
}
