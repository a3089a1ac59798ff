import type { Detector } from "../detector.ts";
import { beacon } from "./beacon.ts";
import { clearText } from "./clear-text.ts";
import { controlPlane } from "./control-plane.ts";
import { dnsTunnel } from "./dns-tunnel.ts";
import { exfiltration } from "./exfiltration.ts";
import { generatedNames } from "./generated-names.ts";
import { hostScan } from "./host-scan.ts";
import { knownBad } from "./known-bad.ts";
import { lateralMovement } from "./lateral-movement.ts";
import { metadataService } from "./metadata-service.ts";
import { mining } from "./mining.ts";
import { novelty } from "./novelty.ts";
import { portScan } from "./port-scan.ts";
import { weakTls } from "./weak-tls.ts";

/** All of them. */
export const detectors: readonly Detector[] = [
  ...[portScan, hostScan, lateralMovement, beacon, dnsTunnel, generatedNames, exfiltration],
  ...[metadataService, controlPlane, mining, knownBad, clearText, weakTls, novelty],
];
