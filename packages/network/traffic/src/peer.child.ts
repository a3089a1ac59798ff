// What the containers of live.test.ts run: `server`, `keep ADDRESS`, `burst ADDRESS BYTES`, or `client ADDRESS V6-ADDRESS`.
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, get } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

const [, , role, address = "", address6 = ""] = process.argv;
const closed = async (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.on("close", resolve).on("error", () => undefined));

if (role === "server") {
  createServer((socket) => {
    let bytes = 0;
    socket.on("data", (data) => {
      bytes += data.length;
      if (bytes === 10_000) socket.end(Buffer.alloc(50_000));
    });
  }).listen(7000, "::");
  createHttpServer((_request, response) => response.end("fine")).listen(7001, "::");
  const key = readFileSync("/live/key.pem");
  const cert = readFileSync("/live/certificate.pem");
  createTlsServer({ key, cert, maxVersion: "TLSv1.2" }, (socket) => socket.end("fine")).listen(7002, "::");
  createServer((socket) => socket.resume()).listen(7004, "::");
  const echo = createSocket("udp4");
  echo.on("message", (message, from) => echo.send(message, from.port, from.address)).bind(7003);
  // Answers every question for A with 198.18.0.2; of big.example.org over TCP only.
  const answerTo = (question: Buffer, isCut: boolean): Buffer => {
    const head = Buffer.from([
      question[0] ?? 0,
      question[1] ?? 0,
      isCut ? 0x83 : 0x81,
      0x80,
      0,
      1,
      0,
      isCut ? 0 : 1,
      0,
      0,
      0,
      0,
    ]);
    let end = 12;
    while (question[end]) end += 1 + (question[end] ?? 0);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 18, 0, 2]);
    return Buffer.concat([head, question.subarray(12, end + 5), ...(isCut ? [] : [answer])]);
  };
  createServer((socket) =>
    socket.on("data", (data) => {
      const answer = answerTo(data.subarray(2), false);
      socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
    }),
  ).listen(53, "::");
  const names = createSocket("udp4");
  names.on("message", (question, from) =>
    names.send(answerTo(question, question.includes("big")), from.port, from.address),
  );
  createSocket("udp4").bind(7005);
  names.bind(53, () => writeFileSync("/tmp/ready", ""));
} else if (role === "keep") {
  // A connection that is there before anybody looks, and says something when it is told to.
  const socket = connect(7000, address, () => writeFileSync("/tmp/kept", ""));
  setInterval(() => socket.write("x"), 200);
} else if (role === "burst") {
  // All at once, then nothing, until it is told to end.
  const socket = connect(7004, address);
  socket.write(Buffer.alloc(Number(address6)));
  const waiting = setInterval(() => {
    if (!existsSync("/tmp/end")) return;
    clearInterval(waiting);
    socket.end();
  }, 50);
} else {
  const resolver = new Resolver();
  resolver.setServers([address]);
  const [found] = await resolver.resolve4("data.example.org");
  await resolver.resolve4("big.example.org");
  for (const host of [found ?? "", address6]) {
    const socket = connect(7000, host);
    socket.write(Buffer.alloc(10_000));
    socket.resume();
    await closed(socket);
  }
  const headers = { authorization: "Basic c2VjcmV0" };
  await new Promise((resolve) =>
    get({ host: address, port: 7001, headers, agent: false }, (answer) => answer.resume().on("end", resolve)),
  );
  await closed(
    connectTls({ host: address, port: 7002, servername: "bank.example", rejectUnauthorized: false }).resume(),
  );
  await closed(connect(7999, address));
  const silent = connect(7000, "198.18.0.77");
  setTimeout(() => silent.destroy(), 300);
  await closed(silent);
  const quic = createSocket("udp4");
  await new Promise((resolve) => quic.send(readFileSync("/live/quic"), 7005, address, resolve));
  quic.close();
  const datagrams = createSocket("udp4");
  await new Promise((resolve) => {
    datagrams.on("message", resolve);
    datagrams.send("12345", 7003, address);
  });
  datagrams.close();
}
