import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { feedsDir, missing, suitesDir } from "@bulwark/testkit";
import { osvConformance } from "./conformance.ts";

/**
 * What the feeds have that their own schema does not: ids of the Node.js Security Working Group, whose prefix is not in its
 * list, and ranges of commits whose hash is none. Whatever else is refused is news.
 */
const faults = {
  "osv:npm": { "/id pattern": 459 },
  "osv:PyPI": { "/affected/…/ranges/…/events/… required": 7 },
};

test(
  "every OSV record of the feeds is loaded, and valid but for faults of the feeds that are known",
  { skip: missing("feeds", "suites") },
  async () => {
    const { feeds, failures } = await osvConformance(join(suitesDir(), "osv/schema.json"), feedsDir());
    assert.deepEqual(failures, []);
    assert.deepEqual(
      Object.fromEntries(
        feeds.filter(({ records, valid }) => valid < records).map(({ feed, refused }) => [feed, refused]),
      ),
      faults,
    );
    assert.deepEqual(
      feeds.map(({ feed, records, withdrawn, loaded }) => [feed, records, withdrawn, loaded]),
      [
        ["osv:Bitnami", 7444, 0, 7444],
        ["osv:Debian", 7241, 0, 7241],
        ["osv:Go", 4291, 17, 4274],
        ["osv:PyPI", 2661, 10, 2651],
        ["osv:crates.io", 1206, 13, 1193],
        ["osv:npm", 459, 0, 459],
      ],
    );
  },
);
