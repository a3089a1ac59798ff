/** Where a command writes: results on `stdout`, progress and errors on `stderr`. */
export interface Io {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** One subcommand. A new one is a file in `commands/` and a line in `main.ts`. */
export interface Command {
  /** As it is typed: `scan`, `db`. */
  name: string;
  /** One line for `bulwark --help`. */
  summary: string;
  /** The whole text of `bulwark NAME --help`. */
  usage: string;
  /** Of a command with subjects of its own: the text for these words; undefined where `usage` is it. */
  help?(args: readonly string[]): Promise<string | undefined>;
  /**
   * `args` without the command's name. Answers with the exit code: 0 done, 1 done and the gate that was asked for is
   * not met, 3 done in part. A wrong call or input is thrown as a `BulwarkError` (exit code 2).
   */
  run(args: string[], io: Io): Promise<number>;
}
