export { ServerError } from "./error.ts";
export type { HealthReport } from "./health/board.ts";
export { startServer, type RunningServer, type ServerOptions } from "./server.ts";
