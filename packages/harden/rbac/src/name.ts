import { RbacError } from "./error.ts";
import type { State } from "./state.ts";

/**
 * What a person calls a start: `user:alice`, `group:developers`, `serviceaccount:shop/web` (or `sa:shop/web`),
 * `system:serviceaccount:shop:web`, `pod:shop/web-0`, `node:worker-1`. Raises `RbacError` `invalid`.
 */
export function parseState(text: string): State {
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(text);
  if (account) return serviceAccount(account[1], account[2]);
  const [, kind = "", name = ""] = /^(\w+):(.+)$/.exec(text) ?? [];
  const [, namespace, inside] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  if (kind === "user") return { kind: "subject", subject: { kind: "User", name } };
  if (kind === "group") return { kind: "subject", subject: { kind: "Group", name } };
  if (kind === "node") return { kind: "node", name };
  if ((kind === "serviceaccount" || kind === "sa") && inside !== undefined) return serviceAccount(namespace, inside);
  if (kind === "pod" && namespace !== undefined && inside !== undefined)
    return { kind: "pod", namespace, name: inside };
  throw new RbacError("invalid", `${JSON.stringify(text)} names nobody`, {
    remedy: "user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME, pod:NAMESPACE/NAME or node:NAME",
  });
}

function serviceAccount(namespace = "", name = ""): State {
  return { kind: "subject", subject: { kind: "ServiceAccount", namespace, name } };
}
