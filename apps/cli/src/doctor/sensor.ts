import { sensorAvailability } from "@bulwark/sensor";
import { off, ok, type Finding } from "./probe.ts";

export async function sensor(): Promise<Finding> {
  const { available, reason, remedy } = sensorAvailability();
  return available ? ok("sensor", "built, and this kernel and user can run it") : off("sensor", reason, remedy);
}
