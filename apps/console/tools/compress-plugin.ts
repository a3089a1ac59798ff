import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const smallest = 1024;

/** Writes `.br` and `.gz` beside every text file of the build, so that the server compresses nothing at run time. */
export function compressPlugin(): Plugin {
  let folder = "";
  return {
    name: "bulwark-compress",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const files = await readdir(folder, { recursive: true });
      await Promise.all(files.filter((file) => /\.(?:js|css|html|svg)$/.test(file)).map(compress));
    },
  };

  async function compress(file: string): Promise<void> {
    const path = join(folder, file);
    const bytes = await readFile(path);
    if (bytes.length < smallest) return;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
    await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }
}
