declare module "virtual:routes" {
  import type { RouteTable } from "@bulwark/contract/client";
  export const table: RouteTable;
}
