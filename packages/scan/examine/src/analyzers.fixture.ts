/** Analyzers that tests give to threads. */
import { threadId } from "node:worker_threads";
import type { Analyzer, Examined } from "@bulwark/image";
import type { Loaders } from "./registry.ts";

/** Says of every file what is in it, and does harm where that says so. */
const reading: Analyzer<string, Examined<string>> = {
  name: "reading",
  limit: 1_000_000,
  wants: () => true,
  examine(_, content) {
    const text = content.toString("latin1", 0, 100);
    if (text === "refuse") throw new Error("refused");
    if (text === "hang") for (;;);
    if (text === "exit") process.exit(1);
    return text;
  },
  conclude: (examined) => examined,
};

const sizes: Analyzer<number, number> = {
  name: "sizes",
  limit: Number.MAX_SAFE_INTEGER,
  wants: () => true,
  examine: ({ size }) => size,
  conclude: ({ facts }) => facts.reduce((sum, { fact }) => sum + fact, 0),
};

/** Says which thread examined a file. */
const threads: Analyzer<number, Examined<number>> = {
  name: "threads",
  limit: Number.MAX_SAFE_INTEGER,
  wants: () => true,
  examine: () => threadId,
  conclude: (examined) => examined,
};

export const analyzers = {
  reading: async () => reading,
  sizes: async () => sizes,
  threads: async () => threads,
} satisfies Loaders;
