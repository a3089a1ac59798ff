import { settersText, type Check } from "../check.ts";
import { fields, isOn, type Fields } from "../pod.ts";

export const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ security, containers }) {
        const pod = isHostProcess(security);
        const bad = containers.filter((container) => isHostProcess(container.security)).map(({ name }) => name);
        if (!pod && bad.length === 0) return null;
        const detail = `${settersText(pod, bad)} must not set securityContext.windowsOptions.hostProcess=true`;
        return { reason: "hostProcess", detail };
      },
    },
  ],
};

function isHostProcess(security: Fields): boolean {
  return isOn(fields(security["windowsOptions"])["hostProcess"]);
}
