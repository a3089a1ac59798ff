import { calico } from "./calico.ts";
import { envoy } from "./envoy.ts";
import { hubble } from "./hubble.ts";
import type { Reader } from "./reader.ts";
import { suricata } from "./suricata.ts";
import { zeek } from "./zeek.ts";

/** Every format that is understood; a new one is a file here and a word in this list. */
export const readers: readonly Reader[] = [hubble, calico, envoy, suricata, zeek];
