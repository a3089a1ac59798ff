import type { Engine } from "../engine.ts";
import type { SettingRepository } from "../store.ts";

export function settingRepository({ write }: Engine): SettingRepository {
  return {
    async get(name) {
      const row = await write.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
      return row?.value;
    },
    async setOnce(name, value) {
      await write
        .insertInto("settings")
        .values({ name, value })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .execute();
      const row = await write.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirstOrThrow();
      return row.value;
    },
    async set(name, value) {
      await write
        .insertInto("settings")
        .values({ name, value })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
        .execute();
    },
  };
}
