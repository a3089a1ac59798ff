/**
 * The thread that reads the advisory database. Matching a large image takes a while and the database is read
 * synchronously: here it holds nobody up.
 */
import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { databaseStatus, match, openDatabase, type AdvisoryDatabase } from "@bulwark/advisory";
import { judgePrograms } from "@bulwark/benchmark/host-versions";
import { errorText, systemCode } from "@bulwark/model";
import type { AdvisoryStatus, Answer, Question } from "./matcher.ts";

const path = workerData as string;
const port = parentPort;
if (!port) throw new Error("match-worker.ts runs as a worker thread");

let open: { database: AdvisoryDatabase; stamp: string } | undefined;
/** Counting every advisory takes a while: once for each database. */
let known: AdvisoryStatus | undefined;

port.on("message", (question: Question) => {
  void reply(question).then((answer) => port.postMessage(answer));
});

async function reply(question: Question): Promise<Answer> {
  const { id } = question;
  try {
    if (question.kind === "status") return { id, answer: await status() };
    const database = current();
    if (question.kind === "match") return { id, answer: database && match(question.ask, database) };
    return { id, answer: database && (await judgePrograms(question.ask, database)) };
  } catch (error) {
    return { id, error: errorText(error) };
  }
}

async function status(): Promise<AdvisoryStatus | undefined> {
  const stamp = stampOf();
  if (stamp === undefined || known?.stamp === stamp) return stamp === undefined ? undefined : known;
  const { builtAt, advisories, feeds } = await databaseStatus(path);
  const problems = feeds.filter(({ error }) => error !== "").map(({ name, error }) => `${name}: ${error}`);
  known = { stamp, builtAt, advisories, problems };
  return known;
}

/** The database as the file is now: an update puts another file in its place. */
function current(): AdvisoryDatabase | undefined {
  const stamp = stampOf();
  if (open && open.stamp === stamp) return open.database;
  open?.database[Symbol.dispose]();
  open = undefined;
  if (stamp === undefined) return undefined;
  open = { database: openDatabase(path), stamp };
  return open.database;
}

function stampOf(): string | undefined {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino}-${size}-${mtimeMs}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
