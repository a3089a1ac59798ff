import { stateless, type Detector } from "../detector.ts";

/** RFC 7568 forbids SSL 3.0, RFC 8996 TLS 1.0 and 1.1. */
const forbidden = new Set(["SSL 2.0", "SSL 3.0", "1.0", "1.1"]);

export const weakTls: Detector = {
  id: "weak-tls",
  title: "A version of TLS that is forbidden",
  severity: "low",
  techniques: ["T1557"],
  needs: ["tls"],
  start: () =>
    stateless((flow) => {
      const version = flow.tls?.version ?? null;
      if (version === null || !forbidden.has(version)) return undefined;
      const name = version.startsWith("SSL") ? version : `TLS ${version}`;
      const explanation = `${name} was agreed on; RFC 8996 and RFC 7568 forbid it`;
      return { score: version.startsWith("SSL") ? 0.8 : 0.5, explanation, evidence: [{ key: "version", value: name }] };
    }),
};
