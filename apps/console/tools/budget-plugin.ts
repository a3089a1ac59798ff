import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** What the first page may weigh, compressed, in bytes. */
const limit = 250_000;
/** What the first page asks for beyond what the entry imports. The chart comes after it, and what alerts say in Chinese. */
const firstPage = /overview-page\.tsx$/;
const language = /i18n\/\w+\.json$/;

/** Fails a build whose first page weighs too much: scripts and styles that the entry, the overview and a language need. */
export function budgetPlugin(): Plugin {
  return {
    name: "bulwark-budget",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((item) => item.type === "chunk");
      const files = new Set<string>();
      const add = (chunk: Rolldown.OutputChunk): void => {
        if (files.has(chunk.fileName)) return;
        files.add(chunk.fileName);
        for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css);
        for (const name of chunk.imports) {
          const next = bundle[name];
          if (next?.type === "chunk") add(next);
        }
      };
      for (const chunk of chunks) {
        if (chunk.isEntry || firstPage.test(chunk.facadeModuleId ?? "")) add(chunk);
      }
      const texts = chunks.filter((chunk) => chunk.moduleIds.some((id) => language.test(id)));
      const weights = [...files].map((name) => weigh(bundle[name]));
      const sum = weights.reduce((all, one) => all + one, 0) + Math.max(0, ...texts.map(weigh));
      const text = `first load ${(sum / 1000).toFixed(1)} kB compressed in ${files.size + 1} files, of ${limit / 1000} kB`;
      if (sum > limit) this.error(text);
      console.log(text);
    },
  };
}

function weigh(item: Rolldown.OutputChunk | Rolldown.OutputAsset | undefined): number {
  if (!item) return 0;
  return gzipSync(item.type === "chunk" ? item.code : item.source, { level: 9 }).length;
}
