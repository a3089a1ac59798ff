import type { ActionKind } from "@bulwark/model";
import type { HandlerOf } from "../action.ts";
import { cordon } from "./cordon.ts";
import { deletePod } from "./delete-pod.ts";
import { denyConnect } from "./deny-connect.ts";
import { denyExec } from "./deny-exec.ts";
import { freeze } from "./freeze.ts";
import { kill } from "./kill.ts";
import { pause } from "./pause.ts";
import { quarantine } from "./quarantine.ts";
import { stop } from "./stop.ts";

export const handlers: { [K in ActionKind]: HandlerOf<K> } = {
  kill,
  freeze,
  "deny-exec": denyExec,
  "deny-connect": denyConnect,
  quarantine,
  pause,
  stop,
  "delete-pod": deletePod,
  cordon,
};
