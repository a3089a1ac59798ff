import { stateless, type Detector } from "../detector.ts";

/** Domains of large pools, by what they publish for miners. */
const pools = [
  ...[
    "2miners.com",
    "antpool.com",
    "ethermine.org",
    "f2pool.com",
    "hashvault.pro",
    "herominers.com",
    "kryptex.network",
  ],
  ...[
    "minexmr.com",
    "minergate.com",
    "moneroocean.stream",
    "nanopool.org",
    "nicehash.com",
    "poolin.com",
    "slushpool.com",
  ],
  ...[
    "supportxmr.com",
    "unmineable.com",
    "viabtc.com",
    "xmrpool.eu",
    "zpool.ca",
    "c3pool.com",
    "monerohash.com",
    "woolypooly.com",
  ],
];
const ports = new Set([3333, 4444, 5555, 7777, 14433, 14444, 45560, 45700]);
const programs =
  /(^|\/)(xmrig|xmr-stak|minerd|cpuminer|ethminer|nbminer|t-rex|lolminer|phoenixminer|kdevtmpfsi|kinsing)\b/;
const long = 600_000;

/** A pool by name or a miner by its program; a port of stratum with a long thin connection is a hint only. */
export const mining: Detector = {
  id: "mining",
  title: "A pool of miners is connected to",
  severity: "high",
  techniques: ["T1496.001"],
  needs: ["addresses"],
  start: () =>
    stateless((flow) => {
      const { server, port, process } = flow;
      if (server.workload) return undefined;
      const name = flow.dns?.name ?? server.name ?? flow.tls?.serverName ?? null;
      const pool = name === null ? undefined : pools.find((domain) => name === domain || name.endsWith(`.${domain}`));
      if (pool !== undefined) {
        return {
          score: 1,
          explanation: `${name ?? ""} belongs to the pool ${pool}`,
          evidence: [{ key: "pool", value: pool }],
          about: pool,
        };
      }
      if (process !== null && programs.test(process)) {
        return {
          score: 1,
          explanation: `${process} is the program of a miner`,
          evidence: [{ key: "process", value: process }],
        };
      }
      const lasted = flow.last - flow.first;
      const thin = flow.bytesOut + flow.bytesIn < (lasted / 1000) * 1024;
      if (!ports.has(port) || lasted < long || !thin || flow.bytesOut === 0) return undefined;
      const minutes = Math.round(lasted / 60_000);
      const explanation = `port ${port} is usual for stratum, and the connection of ${minutes} minutes carried less than 1 KiB/s`;
      return { weak: true, score: 0.5, explanation, evidence: [{ key: "minutes", value: String(minutes) }] };
    }),
};
