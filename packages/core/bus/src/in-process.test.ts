import { busContract } from "./contract.suite.ts";
import { openBus } from "./open.ts";

busContract("in process", { skip: false, open: async () => openBus(), replicas: false });
