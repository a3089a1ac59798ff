import type { AnyAnalyzer } from "@bulwark/image";

/** Analyzers that threads can import: a module that exports them as `analyzers`, and its address. */
export interface Registry<Analyzers extends Record<string, AnyAnalyzer> = Record<string, AnyAnalyzer>> {
  /** `file:` URL of the module. */
  module: string;
  analyzers: Analyzers;
  /**
   * Of the code and the content behind the answers of one; null: behind how layers are read. What a cache keeps of another
   * version is not used.
   */
  version(name: (keyof Analyzers & string) | null): string;
}
