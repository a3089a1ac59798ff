/** Writes of one transaction: the results of all of them, or an error and nothing is written. */
type Write<Work, Result> = (works: readonly Work[]) => Promise<Result[]>;

interface Waiting<Work, Result> {
  work: Work;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Small writes that come while one is being committed go into the next transaction together, at most `most` of them: what
 * each takes is mostly the wait for the disk. None waits where none is under way. Where such a transaction fails, each of
 * its writes gets one of its own, so that one that cannot be written spoils no other.
 */
export function groupCommit<Work, Result>(
  write: Write<Work, Result>,
  { most }: { most: number },
): (work: Work) => Promise<Result> {
  const queue: Waiting<Work, Result>[] = [];
  let isBusy = false;

  async function drain(): Promise<void> {
    isBusy = true;
    while (queue.length > 0) await commit(queue.splice(0, most));
    isBusy = false;
  }

  async function commit(group: readonly Waiting<Work, Result>[]): Promise<void> {
    try {
      const results = await write(group.map(({ work }) => work));
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const one of group) await commit([one]);
    }
  }

  return async (work) =>
    new Promise((resolve, reject) => {
      queue.push({ work, resolve, reject });
      if (!isBusy) void drain();
    });
}
