/** A first packet of QUIC, for tests. */
import { createCipheriv } from "node:crypto";

/** Of the client's first packet to 8394c8f03e515708: RFC 9001 appendix A.1, RFC 9369 appendix A.1. */
const keys = {
  1: {
    first: 0xc3,
    version: "00000001",
    key: "1f369613dd76d5467730efcbe3b1a22d",
    iv: "fa044b2f42a3fd3b46fb255c",
    hp: "9f50449e04a0e810283a1e9933adedd2",
  },
  2: {
    first: 0xd3,
    version: "6b3343cf",
    key: "8b1a0bc121284290a29e0971b5cd045d",
    iv: "91f73e2351d8fa91660e909f",
    hp: "45b95e15235d6f45a6b19cbcb0294ba9",
  },
} as const;
/** The hello of RFC 9001 appendix A.2, to example.com. */
export const quicHello = Buffer.from(
  "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0" +
    "00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00" +
    "0500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d7" +
    "48002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffff" +
    "ffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff",
  "hex",
);

/** A first packet, of 1200 bytes and packet number 2. */
export function quicPacket(version: keyof typeof keys, ...frames: Buffer[]): Buffer {
  const { first, key, iv, hp, ...of } = keys[version];
  const header = Buffer.concat([
    Buffer.from([first]),
    Buffer.from(`${of.version}088394c8f03e5157080000449e00000002`, "hex"),
  ]);
  const payload = Buffer.alloc(1162);
  Buffer.concat(frames).copy(payload);
  const nonce = Buffer.from(iv, "hex");
  nonce[11] = (nonce[11] ?? 0) ^ 2;
  const sealing = createCipheriv("aes-128-gcm", Buffer.from(key, "hex"), nonce).setAAD(header);
  const sealed = Buffer.concat([sealing.update(payload), sealing.final(), sealing.getAuthTag()]);
  const mask = createCipheriv("aes-128-ecb", Buffer.from(hp, "hex"), null).update(sealed.subarray(0, 16));
  header[0] = first ^ ((mask[0] ?? 0) & 15);
  for (let i = 0; i < 4; i++) header[18 + i] = (header[18 + i] ?? 0) ^ (mask[1 + i] ?? 0);
  return Buffer.concat([header, sealed]);
}
