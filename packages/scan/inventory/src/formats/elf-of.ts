/** For tests: an ELF file with these sections and nothing else. */
export function elfOf(sections: Record<string, Buffer>): Buffer {
  const names = Buffer.from(`\0${[...Object.keys(sections), ".shstrtab"].join("\0")}\0`);
  const all = Object.entries({ ...sections, ".shstrtab": names });
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  const headers = [Buffer.alloc(64)];
  let at = 64;
  for (const [name, bytes] of all) {
    const section = Buffer.alloc(64);
    section.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, 0);
    section.writeUInt32LE(1, 4);
    section.writeBigUInt64LE(BigInt(at), 24);
    section.writeBigUInt64LE(BigInt(bytes.length), 32);
    headers.push(section);
    at += bytes.length;
  }
  header.writeBigUInt64LE(BigInt(at), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(headers.length, 60);
  header.writeUInt16LE(headers.length - 1, 62);
  return Buffer.concat([header, ...all.map(([, bytes]) => bytes), ...headers]);
}

/** For tests: a program of Go whose linker wrote this into it. */
export function goProgramOf(goVersion: string, modules: string): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    return Buffer.concat([Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]), bytes]);
  };
  const head = Buffer.alloc(32);
  head.write("\xff Go buildinf:\x08\x02", "latin1");
  const sentinel = "0123456789abcdef";
  return elfOf({ ".go.buildinfo": Buffer.concat([head, text(goVersion), text(`${sentinel}${modules}\n${sentinel}`)]) });
}
