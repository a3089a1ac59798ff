import { quoted, settersText, type Check } from "../check.ts";
import { fields, isSet, text, type Fields } from "../pod.ts";

const prefix = "container.apparmor.security.beta.kubernetes.io/";

/**
 * The annotation, and the field that replaces it. The field came with Kubernetes 1.30 and is looked at under every
 * version: what an older policy did not know is no way round it.
 */
export const appArmorProfile: Check = {
  id: "appArmorProfile",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ annotations, security, containers }) {
        const pod = wrongType(security);
        const bad = containers.filter((container) => wrongType(container.security) !== null);
        const types = [pod, ...bad.map((container) => wrongType(container.security))].filter((type) => type !== null);
        const setters = settersText(
          pod !== null,
          bad.map(({ name }) => name),
        );
        const byField = types.length === 0 ? [] : [`${setters} must not set AppArmor profile type to ${quoted(types)}`];
        const byAnnotation = Object.entries(annotations)
          .filter(([key, value]) => key.startsWith(prefix) && !allowedAnnotation(text(value)))
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
        const all = [...byField, ...byAnnotation];
        if (all.length === 0) return null;
        return { reason: `forbidden AppArmor ${all.length === 1 ? "profile" : "profiles"}`, detail: all.join(", ") };
      },
    },
  ],
};

function wrongType(security: Fields): string | null {
  const profile = security["appArmorProfile"];
  if (!isSet(profile)) return null;
  const type = text(fields(profile)["type"]);
  return type === "RuntimeDefault" || type === "Localhost" ? null : type;
}

function allowedAnnotation(value: string): boolean {
  return value === "" || value === "runtime/default" || value.startsWith("localhost/");
}
