import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { spokenIn, together } from "./index.ts";

/** RFC 8446: a hello with a name, a version and nothing else. */
function clientHello(serverName: string): Buffer {
  const name = Buffer.from(serverName);
  const sni = Buffer.concat([
    numbers(0, name.length + 5, name.length + 3),
    Buffer.from([0]),
    numbers(name.length),
    name,
  ]);
  return hello(1, Buffer.concat([Buffer.from([0]), numbers(2, 0x1301), Buffer.from([1, 0])]), sni);
}

function serverHello(version: number, chosen?: number): Buffer {
  const extension = chosen === undefined ? Buffer.alloc(0) : numbers(43, 2, chosen);
  return hello(2, Buffer.concat([Buffer.from([0]), numbers(0x1301), Buffer.from([0])]), extension, version);
}

function hello(type: number, middle: Buffer, extensions: Buffer, version = 0x0303): Buffer {
  const body = Buffer.concat([numbers(version), Buffer.alloc(32, 7), middle, numbers(extensions.length), extensions]);
  const message = Buffer.concat([Buffer.from([type, 0]), numbers(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), numbers(message.length), message]);
}

function numbers(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])));
}

test("the client's hello has the name, the server's the version", () => {
  assert.deepEqual(spokenIn(clientHello("Bank.Example"), true).tls, { version: null, serverName: "bank.example" });
  assert.equal(spokenIn(serverHello(0x0303, 0x0304), false).tls?.version, "1.3");
  assert.equal(spokenIn(serverHello(0x0303), false).tls?.version, "1.2");
  assert.equal(spokenIn(serverHello(0x0301), false).tls?.version, "1.0");
  const both = together(spokenIn(clientHello("bank.example"), true), spokenIn(serverHello(0x0302), false));
  assert.deepEqual(both.tls, { version: "1.1", serverName: "bank.example" });
});

test("a hello that is cut anywhere tells no wrong name", () => {
  const whole = clientHello("bank.example");
  for (let length = 0; length < whole.length; length++) {
    assert.equal(spokenIn(whole.subarray(0, length), true).tls?.serverName ?? null, null);
  }
});

const cases: readonly [
  what: string,
  bytes: string,
  fromClient: boolean,
  clear: string | undefined,
  credential: boolean,
][] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, "http", false],
  ["HTTP with a token", "POST /x HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n", true, "http", true],
  [
    "HTTP with a signature, which is no password",
    "GET / HTTP/1.1\r\nAuthorization: Digest a=b\r\n\r\n",
    true,
    "http",
    false,
  ],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true, "http", false],
  ["FTP", "220 (vsFTPd 3.0.3)\r\n", false, "ftp", false],
  ["SMTP", "220 mail.example ESMTP\r\n", false, "smtp", false],
  ["Redis", "*1\r\n$4\r\nPING\r\n", true, "redis", false],
  ["Redis with a password", "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n", true, "redis", true],
  ["PostgreSQL", "\0\0\0\x29\0\x03\0\0user\0me\0", true, "postgresql", false],
  ["PostgreSQL that asks for TLS first", "\0\0\0\x08\x04\xd2\x16\x2f", true, undefined, false],
  ["MySQL", "J\0\0\0\n8.0.36\0\x08\0\0\0", false, "mysql", false],
  ["a mining pool", '{"id":1,"method":"mining.subscribe","params":[]}', true, "stratum", false],
  ["SSH, which is not in clear text", "SSH-2.0-OpenSSH_9.2\r\n", false, undefined, false],
  ["anything", "\x01\x02\x03", true, undefined, false],
];
for (const [what, bytes, fromClient, clear, credential] of cases) {
  test(`${what} is known by its first bytes`, () => {
    const spoken = spokenIn(Buffer.from(bytes, "latin1"), fromClient);
    assert.deepEqual([spoken.clear, spoken.credential === true], [clear, credential]);
  });
}

test("no bytes whatever raise an error", () => {
  const begins = fc.constantFrom(
    "",
    "\x16\x03\x01\x00\x40\x01",
    "\x16\x03\x03\x00\x40\x02",
    "GET / HTTP/1.1\r\n",
    "*2\r\n$4\r\n",
  );
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 400 }), fc.boolean(), (start, rest, fromClient) => {
      spokenIn(Buffer.concat([Buffer.from(start, "latin1"), rest]), fromClient);
    }),
  );
});
