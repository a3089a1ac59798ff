/** Analyzers that tests give to threads. */
import type { AnyAnalyzer, Analyzer, Examined } from "@bulwark/image";

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

export const analyzers = { reading, sizes } satisfies Record<string, AnyAnalyzer>;
