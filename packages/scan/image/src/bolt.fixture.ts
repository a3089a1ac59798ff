/** Writes files of bbolt for tests, as its page.go and bucket.go describe them. */

/** A value, or a bucket of them. */
export type Content = string | { [name: string]: Content };

const pageSize = 4096;

/** A database with these buckets, each inline in its parent or, where `split` says so, in pages of its own below a branch. */
export function boltFile(buckets: { [name: string]: Content }, split = false): Buffer {
  const pages: Buffer[] = [];
  const add = (content: Buffer): number => pages.push(content) + 1;
  const place = (bucket: { [name: string]: Content }): number => {
    const names = Object.keys(bucket).toSorted();
    if (!split || names.length < 2) return add(leaf(bucket, names, place));
    const halves = [names.slice(0, 1), names.slice(1)].map((some) => add(leaf(bucket, some, place)));
    return add(branch(halves));
  };
  const root = place(buckets);
  const numbered = pages.map((content, at) => {
    const page = Buffer.alloc(pageSize);
    content.copy(page);
    page.writeBigUInt64LE(BigInt(at + 2), 0);
    return page;
  });
  // The older of the two states leads nowhere.
  return Buffer.concat([meta(0, 9999, 1n), meta(1, root, 2n), ...numbered]);

  function leaf(
    bucket: { [name: string]: Content },
    names: string[],
    pageOf: (bucket: { [name: string]: Content }) => number,
  ): Buffer {
    const elements = names.map((name) => {
      const content = bucket[name] ?? "";
      if (typeof content === "string") return { key: Buffer.from(name), value: Buffer.from(content), kind: 0 };
      const header = Buffer.alloc(16);
      if (!split) return { key: Buffer.from(name), value: Buffer.concat([header, inline(content)]), kind: 1 };
      header.writeBigUInt64LE(BigInt(pageOf(content)));
      return { key: Buffer.from(name), value: header, kind: 1 };
    });
    const heads: Buffer[] = [];
    const bodies: Buffer[] = [];
    let at = 16 + elements.length * 16;
    elements.forEach(({ key, value, kind }, index) => {
      const head = Buffer.alloc(16);
      head.writeUInt32LE(kind, 0);
      head.writeUInt32LE(at - (16 + index * 16), 4);
      head.writeUInt32LE(key.length, 8);
      head.writeUInt32LE(value.length, 12);
      heads.push(head);
      bodies.push(key, value);
      at += key.length + value.length;
    });
    return Buffer.concat([header(2, elements.length), ...heads, ...bodies]);
  }

  function inline(bucket: { [name: string]: Content }): Buffer {
    return leaf(bucket, Object.keys(bucket).toSorted(), () => 0);
  }
}

function branch(children: number[]): Buffer {
  const heads = children.map((child) => {
    const head = Buffer.alloc(16);
    head.writeBigUInt64LE(BigInt(child), 8);
    return head;
  });
  return Buffer.concat([header(1, children.length), ...heads]);
}

function header(flags: number, count: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(flags, 8);
  bytes.writeUInt16LE(count, 10);
  return bytes;
}

function meta(number: number, root: number, transaction: bigint): Buffer {
  const page = Buffer.alloc(pageSize);
  header(4, 0).copy(page);
  page.writeBigUInt64LE(BigInt(number), 0);
  page.writeUInt32LE(0xed0cdaed, 16);
  page.writeUInt32LE(2, 20);
  page.writeUInt32LE(pageSize, 24);
  page.writeBigUInt64LE(BigInt(root), 32);
  page.writeBigUInt64LE(transaction, 64);
  let hash = 0xcbf29ce484222325n;
  for (const byte of page.subarray(16, 72)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  page.writeBigUInt64LE(hash, 72);
  return page;
}
