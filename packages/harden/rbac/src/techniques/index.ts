import type { Technique } from "../state.ts";
import { approveCertificates } from "./approve-certificates.ts";
import { bindRole } from "./bind-role.ts";
import { changeAwsAuth } from "./change-aws-auth.ts";
import { changeWebhook } from "./change-webhook.ts";
import { createPersistentVolume } from "./create-persistent-volume.ts";
import { createToken } from "./create-token.ts";
import { enterPod } from "./enter-pod.ts";
import { escalateRole } from "./escalate-role.ts";
import { everything } from "./everything.ts";
import { impersonate } from "./impersonate.ts";
import { leavePod } from "./leave-pod.ts";
import { nodeHoldings } from "./node-holdings.ts";
import { proxyNode } from "./proxy-node.ts";
import { readSecrets } from "./read-secrets.ts";
import { runPod } from "./run-pod.ts";

/** Every way to get further. */
export const techniques: readonly Technique[] = [
  everything,
  escalateRole,
  bindRole,
  impersonate,
  createToken,
  readSecrets,
  runPod,
  enterPod,
  leavePod,
  proxyNode,
  nodeHoldings,
  approveCertificates,
  changeWebhook,
  createPersistentVolume,
  changeAwsAuth,
];
