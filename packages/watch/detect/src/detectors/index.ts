import type { Detector } from "../detector.ts";
import { drift } from "./drift.ts";
import { reverseShell } from "./reverse-shell.ts";

/** Every detector there is. */
export const detectors: readonly Detector[] = [reverseShell, drift];
