import { after } from "node:test";
import { missing, startPostgres, type TestPostgres } from "@bulwark/testkit";
import { storeContract } from "./contract.suite.ts";
import { openStore } from "./open.ts";

let server: TestPostgres | undefined;
after(async () => server?.[Symbol.asyncDispose]());

storeContract("PostgreSQL", {
  skip: missing("postgresql"),
  async open() {
    server = await startPostgres();
    return openStore({ postgresql: server.url });
  },
});
