import type { AnyAnalyzer } from "@bulwark/image";

/** How analyzers are loaded, each by its own name. */
export type Loaders = Record<string, () => Promise<AnyAnalyzer>>;

/** Analyzers that threads can load: a module that exports how as `analyzers`, and its address. */
export interface Registry<Analyzers extends Loaders = Loaders> {
  /** `file:` URL of the module. */
  module: string;
  analyzers: Analyzers;
  /**
   * Of the code and the content behind the answers of one; null: behind how layers are read. What a cache keeps of another
   * version is not used.
   */
  version(name: (keyof Analyzers & string) | null): string;
}

export type Loaded<Analyzers extends Loaders> = { [Name in keyof Analyzers]: Awaited<ReturnType<Analyzers[Name]>> };

/** Raises `TypeError` for a name that is none. */
export async function loadAnalyzers(analyzers: Loaders, names: readonly string[]): Promise<AnyAnalyzer[]> {
  return Promise.all(
    names.map(async (name) => {
      const analyzer = await analyzers[name]?.();
      if (analyzer?.name === name) return analyzer;
      throw new TypeError(`there is no analyzer ${name}${analyzer ? `: it is called ${analyzer.name}` : ""}`);
    }),
  );
}
