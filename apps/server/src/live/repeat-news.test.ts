import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { RepeatsOf } from "@bulwark/model";
import { count } from "../http/figures.ts";
import { createRepeatNews } from "./repeat-news.ts";

test("a flood of repeats is one message a second, with the newest total of each alert, and what waits is bounded", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const told: RepeatsOf[][] = [];
    using news = createRepeatNews(
      { publish: async (_, data) => void told.push((data as { repeats: RepeatsOf[] }).repeats) },
      1000,
    );
    const total = (alert: string, times: number): RepeatsOf => ({ alert, count: times, last: 5 });
    news.came([total("a", 1)]);
    assert.deepEqual(told.splice(0), [[total("a", 1)]], "the first is told at once");
    for (let n = 2; n <= 1000; n++) news.came([total("a", n), total("b", n)]);
    news.came([total("a", 999)]);
    assert.deepEqual(told, []);
    mock.timers.tick(1000);
    assert.deepEqual(told.splice(0), [[total("a", 1000), total("b", 1000)]]);

    news.came(Array.from({ length: 6000 }, (_, n) => total(`alert-${n}`, 1)));
    news.came([total("alert-0", 2), total("alert-5999", 2)]);
    mock.timers.tick(1000);
    assert.deepEqual(
      told.map(({ length }) => length),
      Array.from({ length: 10 }, () => 500),
      "in messages that every bus takes",
    );
    assert.deepEqual(told[0]?.[0], total("alert-0", 2));
    const { values } = await count.newsDropped.get();
    assert.equal(values.find(({ labels }) => labels.what === "repeats")?.value, 1001);
  } finally {
    mock.timers.reset();
  }
});
