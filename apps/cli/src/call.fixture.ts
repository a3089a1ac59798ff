import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Command } from "./command.ts";

/** Calls a command as the command line does: its exit code, and what it wrote, without colours. */
export async function callCommand(
  command: Command,
  args: string[],
): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: "", err: "" };
  const into = (key: "out" | "err"): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[key] += chunk.toString();
        done();
      },
    });
  const code = await command.run(args, { stdout: into("out"), stderr: into("err") });
  return { code, out: stripVTControlCharacters(texts.out), err: texts.err };
}
