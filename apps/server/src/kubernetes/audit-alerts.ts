import { collections } from "@bulwark/cluster";
import { AuditRules, type AuditRead } from "@bulwark/detect/audit";
import { isExcepted, type Alert, type ApiRequest, type RepeatsOf, type StoredAlert } from "@bulwark/model";
import { FollowedRules } from "@bulwark/rules";
import type { Store } from "@bulwark/store";
import type { Context } from "../context.ts";

/** Audit records that API servers send, against the rules of the source `k8s_audit`. */
export interface AuditAlerts extends Disposable {
  /** Stores the alerts of these records. Answers with those that were not there yet, and with what happened again of others. */
  raise(read: readonly AuditRead[], now: number): Promise<{ alerts: StoredAlert[]; repeats: RepeatsOf[] }>;
}

/** The rules are read when the first record comes: most servers get none. From then on they are read again when they change. */
export function createAuditAlerts({
  config,
  store,
  agentSettings,
  health,
  logger,
}: Pick<Context, "agentSettings" | "config" | "health" | "logger" | "store">): AuditAlerts {
  const following = new DisposableStack();
  let opened: AuditRules | undefined;

  function open(): AuditRules {
    const tell = (): void => {
      const own = rules.ruleset.rules.filter(({ source }) => source === "k8s_audit");
      health.report({
        id: "audit-rules",
        summary: `${own.length} rules look at what API servers are asked`,
        ...rules.health,
      });
    };
    const rules = following.use(
      new FollowedRules({
        ...config.server.kubernetes.rules,
        changed: tell,
        broken(problems) {
          for (const problem of problems) logger.error({ problem }, "rule files have changed and are broken");
          tell();
        },
      }),
    );
    tell();
    return new AuditRules(rules.engine);
  }

  return {
    async raise(read, now) {
      const rules = (opened ??= open());
      const { alerts, repeats } = rules.judge(read, now);
      if (alerts.length === 0 && repeats.length === 0) return { alerts: [], repeats: [] };
      const { disabledRules, exceptions } = await agentSettings.current();
      const complete = await Promise.all(alerts.map(async (alert) => withKnownRequest(alert, store)));
      const wanted = complete.filter(
        (alert) => !disabledRules.includes(alert.rule) && !exceptions.some((one) => isExcepted(one, alert, now)),
      );
      const stored = await store.alerts.append(wanted, repeats, now);
      // Not before they are on disk: an API server that is told of a failure sends the same again.
      rules.raised(alerts, now);
      return stored;
    },
    [Symbol.dispose]: () => following.dispose(),
  };
}

/** Kinds by their name in addresses: `pods` → `Pod`. */
const kinds = new Map(
  Object.entries(collections).map(([kind, path]) => [path.slice(path.lastIndexOf("/") + 1), kind] as const),
);

/** With what the inventory knows of what was asked about: uid, labels, workload. Other alerts are as they were. */
export async function withKnownRequest(alert: Alert, { kubernetes }: Pick<Store, "kubernetes">): Promise<Alert> {
  return alert.request ? { ...alert, request: await known(alert.request, kubernetes) } : alert;
}

async function known(request: ApiRequest, kubernetes: Store["kubernetes"]): Promise<ApiRequest> {
  const { cluster, resource, namespace, name } = request;
  const kind = kinds.get(resource);
  if (kind === undefined || name === "") return request;
  const { items } = await kubernetes.list({ cluster, kind, namespace, name }, { limit: 1 });
  const [object] = items;
  // A name that is used again is another object.
  if (object && (request.uid === "" || request.uid === object.uid)) {
    return { ...request, uid: object.uid, labels: object.labels, owners: object.owners };
  }
  const [owner] = request.owners;
  const above = owner && (await kubernetes.get(cluster, owner.uid));
  return above ? { ...request, owners: [owner, ...above.owners].slice(0, 8) } : request;
}
