import type { Detector } from "../detector.ts";
import { createCredentialGain } from "./credential-gain.ts";
import { createDrift } from "./drift.ts";
import { flood } from "./flood.ts";
import { foreignRoot } from "./foreign-root.ts";
import { hostDevice } from "./host-device.ts";
import { hostFileSystem } from "./host-file-system.ts";
import { kernelHelper } from "./kernel-helper.ts";
import { kernelSetting } from "./kernel-setting.ts";
import { kernelTampering } from "./kernel-tampering.ts";
import { logRemoval } from "./log-removal.ts";
import { miner } from "./miner.ts";
import { namespaceEntry } from "./namespace-entry.ts";
import { otherProcess } from "./other-process.ts";
import { privilegedStart } from "./privileged-start.ts";
import { createRelayedShell } from "./relayed-shell.ts";
import { reverseShell } from "./reverse-shell.ts";
import { runtimeSocket } from "./runtime-socket.ts";
import { serverChild } from "./server-child.ts";

/** Every detector there is, with a state of its own: once for each pipeline. */
export function createDetectors(): Detector[] {
  return [
    reverseShell,
    createRelayedShell(),
    createDrift(),
    createCredentialGain(),
    hostFileSystem,
    hostDevice,
    namespaceEntry,
    foreignRoot,
    runtimeSocket,
    otherProcess,
    kernelTampering,
    kernelSetting,
    kernelHelper,
    privilegedStart,
    serverChild,
    miner,
    logRemoval,
    flood,
  ];
}
