import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { storeContract } from "./contract.suite.ts";
import { openStore } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-store-"));
after(() => rmSync(folder, { recursive: true, force: true }));

storeContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "bulwark.db") }) });
