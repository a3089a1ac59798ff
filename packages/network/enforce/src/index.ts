export { compileTable, type EnforcedPod, type Placement, type ServiceAddress } from "./compile.ts";
