import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createFlowNews } from "./flow-news.ts";

test("a thousand agents that tell of flows are one message of a cluster in each pause, and none is forgotten", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const told: string[] = [];
    using news = createFlowNews(
      { publish: async (_, data) => void told.push((data as { cluster: string }).cluster) },
      2000,
    );
    news.came(["east"]);
    assert.deepEqual(told, ["east"], "the first is told at once");
    for (let agent = 0; agent < 1000; agent++) news.came([agent % 2 === 0 ? "east" : "west"]);
    assert.deepEqual(told, ["east"]);
    mock.timers.tick(2000);
    assert.deepEqual(told, ["east", "east", "west"]);
    mock.timers.tick(2000);
    news.came([]);
    assert.deepEqual(told, ["east", "east", "west"], "where nothing came, nothing is told");
    news.came(["west"]);
    assert.deepEqual(told.slice(3), ["west"], "after a pause the first is told at once again");
  } finally {
    mock.timers.reset();
  }
});
