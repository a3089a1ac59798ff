import { errorText, BulwarkError } from "@bulwark/model/plain";
import { coverageOf, sensorAvailability, startSensor } from "@bulwark/sensor";
import { off, ok, type Finding } from "./probe.ts";

/** Starts it for a moment: only the kernel knows which of its hooks it takes. */
export async function sensor(): Promise<Finding[]> {
  const { available, reason, remedy } = sensorAvailability();
  if (!available) return [off("sensor", reason, remedy)];
  try {
    await using started = await startSensor({ onRecords: () => undefined, flows: { onTraffic: () => undefined } });
    const seen = coverageOf(started.hooks).map(({ event, hook, sees, costs, isAsked }): Finding => {
      if (hook === "" && isAsked === true) return ok(event, `only where it is asked for: ${sees}; costs ${costs}`);
      if (hook === "") return off(event, `not seen: ${sees}`, "a newer kernel has a hook for it");
      return ok(event, `${sees}, by ${hook}; costs ${costs}`);
    });
    return [ok("sensor", "runs, and slows no system call: it has no hook on them"), ...seen];
  } catch (error) {
    const mend = error instanceof BulwarkError ? error.remedy : undefined;
    return [off("sensor", errorText(error), mend ?? "this is a defect of Bulwark: please report it with this text")];
  }
}
