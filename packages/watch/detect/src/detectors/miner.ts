import { defineDetector, type Detection } from "../detector.ts";
import { baseName, commandOf } from "../evidence.ts";

const programs =
  /^(?:xmrig(?:-.*)?|xmr-stak(?:-.*)?|minerd|cpuminer(?:-.*)?|ccminer|ethminer|nbminer|t-rex|phoenixminer|lolminer|nanominer|bfgminer|cgminer|kdevtmpfsi|kinsing|srbminer-multi|teamredminer|xmrigdaemon|cryptonight)$/i;
/** Protocol and options of miners: the address of a pool has its own scheme. */
const words =
  /stratum\d?\+(?:tcp|ssl|tls|udp):\/\/|--donate-level|--randomx|--coin[= ](?:monero|xmr)|--algo[= ](?:rx\/|cn\/|argon2)|-a (?:cryptonight|randomx)|\b(?:4|8)[1-9A-HJ-NP-Za-km-z]{94}\b/i;
const pools =
  /(?:^|\.)(?:(?:mine)?xmr\.?(?:pool|mine)?|supportxmr|nanopool|moneroocean|hashvault|minexmr|2miners|f2pool|nicehash|c3pool|herominers|unmineable|ethermine|dwarfpool|minergate)\.(?:com|org|net|pro|stream|eu|me|io)$/;

/** A program that mines coins: by its name, by the protocol of pools on its command line, or by the name of a pool. */
export const miner = defineDetector({
  id: "miner",
  title: "Program that mines coins",
  description:
    "A program in the container has the name, the command line or the peers of software that mines coins. It is what most break-ins into containers are for.",
  remedy: "Stop the container, find out how the program came into it, and look for the same on other nodes.",
  severity: "high",
  techniques: ["T1496"],
  needs: ["exec", "dns"],
  detect(observation): Detection | undefined {
    const { process } = observation;
    if (observation.kind === "dns") {
      const { name } = observation.record;
      return pools.test(name) ? { subject: process, key: name, evidence: [{ key: "name", value: name }] } : undefined;
    }
    const command = commandOf(process);
    if (!programs.test(baseName(process.executable)) && !words.test(command)) return undefined;
    return {
      subject: process,
      key: process.executable,
      evidence: [
        { key: "program", value: process.executable },
        { key: "command", value: command },
      ],
    };
  },
});
