import { alpine } from "./alpine.ts";
import type { Feed } from "./feed.ts";
import { kev } from "./kev.ts";
import { osv } from "./osv.ts";

/** Every kind of feed there is. */
export const feeds: readonly Feed[] = [osv, alpine, kev];
