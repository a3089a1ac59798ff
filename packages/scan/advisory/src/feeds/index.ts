import { debianTracker } from "./debian-tracker.ts";
import { epss } from "./epss.ts";
import type { Feed } from "./feed.ts";
import { kev } from "./kev.ts";
import { kubernetes } from "./kubernetes.ts";
import { osv } from "./osv.ts";
import { secdbFeed } from "./secdb.ts";

/** Every kind of feed there is. */
export const feeds: readonly Feed[] = [osv, debianTracker, secdbFeed, kubernetes, kev, epss];
