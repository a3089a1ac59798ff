/**
 * The thread that matches. Matching a large image takes a while and the database is read synchronously: here it holds
 * nobody up.
 */
import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { databaseStatus, match, openDatabase, type AdvisoryDatabase } from "@bulwark/advisory";
import { errorText, systemCode } from "@bulwark/model";
import type { Answer, Question } from "./matcher.ts";

const path = workerData as string;
const port = parentPort;
if (!port) throw new Error("match-worker.ts runs as a worker thread");

let open: { database: AdvisoryDatabase; stamp: string } | undefined;

port.on("message", (question: Question) => {
  port.postMessage(reply(question));
});

function reply(question: Question): Answer {
  const { id } = question;
  try {
    const opened = current();
    if (!opened) return { id, answer: undefined };
    if (question.kind === "match") return { id, answer: match(question.ask, opened.database) };
    const { builtAt, advisories } = databaseStatus(opened.database);
    return { id, answer: { builtAt, advisories, stamp: opened.stamp } };
  } catch (error) {
    return { id, error: errorText(error) };
  }
}

/** The database as the file is now: an update puts another file in its place. */
function current(): typeof open {
  const stamp = stampOf();
  if (open && open.stamp === stamp) return open;
  open?.database[Symbol.dispose]();
  open = undefined;
  if (stamp === undefined) return undefined;
  open = { database: openDatabase(path), stamp };
  return open;
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
