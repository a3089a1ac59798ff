import type { Engine } from "./engine.ts";
import { migrate } from "./migrations/migrate.ts";
import { openPostgres } from "./postgresql/engine.ts";
import { accountRepository } from "./repositories/accounts.ts";
import { actionRepository } from "./repositories/actions.ts";
import { admissionRepository } from "./repositories/admission.ts";
import { agentRepository } from "./repositories/agents.ts";
import { alertRepository } from "./repositories/alerts.ts";
import { auditRepository } from "./repositories/audit.ts";
import { benchmarkRepository } from "./repositories/benchmarks.ts";
import { containerRepository } from "./repositories/containers.ts";
import { eventRepository } from "./repositories/events.ts";
import { findingRepository } from "./repositories/findings.ts";
import { createFlowSums } from "./repositories/flow-sums.ts";
import { flowRepository } from "./repositories/flows.ts";
import { healthRepository } from "./repositories/health.ts";
import { imageRepository } from "./repositories/images.ts";
import { ingestRepository } from "./repositories/ingest.ts";
import { kubernetesRepository } from "./repositories/kubernetes.ts";
import { leaseRepository } from "./repositories/leases.ts";
import { networkDocumentRepository } from "./repositories/network-documents.ts";
import { registryRepository } from "./repositories/registries.ts";
import { runningPolicyRepository } from "./repositories/running-policies.ts";
import { scanRepository } from "./repositories/scans.ts";
import { settingRepository } from "./repositories/settings.ts";
import { retain } from "./retain.ts";
import { openSqlite } from "./sqlite/engine.ts";
import type { Store } from "./store.ts";

export type StoreOptions = { sqlite: string } | { postgresql: string };

/**
 * Opens the store and brings its tables up to date.
 *
 *     await using store = await openStore({ sqlite: "/var/lib/bulwark/bulwark.db" });
 *
 * Raises `StoreError` `in-use`, `newer` or `unavailable`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const engine = await ("sqlite" in options ? openSqlite(options.sqlite) : openPostgres(options.postgresql));
  try {
    await migrate(engine);
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
  return storeOn(engine);
}

function storeOn(engine: Engine): Store {
  const flowSums = createFlowSums(engine);
  return {
    engine: engine.kind,
    ingest: ingestRepository(engine, flowSums),
    events: eventRepository(engine),
    alerts: alertRepository(engine),
    actions: actionRepository(engine),
    containers: containerRepository(engine),
    images: imageRepository(engine),
    findings: findingRepository(engine),
    benchmarks: benchmarkRepository(engine),
    scans: scanRepository(engine),
    registries: registryRepository(engine),
    health: healthRepository(engine),
    accounts: accountRepository(engine),
    audit: auditRepository(engine),
    settings: settingRepository(engine),
    agents: agentRepository(engine),
    admission: admissionRepository(engine),
    runningPolicies: runningPolicyRepository(engine),
    flows: flowRepository(engine, flowSums),
    networkDocuments: networkDocumentRepository(engine),
    leases: leaseRepository(engine),
    kubernetes: kubernetesRepository(engine),
    retain: async (limits, now) => retain(engine, limits, now),
    size: async () => engine.size(),
    async ping() {
      return engine.read
        .selectFrom("migrations" as never)
        .select(({ lit }) => lit(1).as("one"))
        .limit(1)
        .execute()
        .then(
          () => true,
          () => false,
        );
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
