import { actorOf, sessionOf } from "../auth/caller.ts";
import { addJoinToken, enrol, renew, revoke } from "../agents/join.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";

export const agentsHandlers: HandlersOf<"agents"> = {
  async listAgents({ now }, { store }) {
    const certificates = await store.agents.list(now);
    return {
      items: certificates.map(({ node, cluster, issuedAt, expiresAt, revokedAt, seenAt, address }) => {
        return { node, cluster, issuedAt, expiresAt, revokedAt, seenAt, address };
      }),
    };
  },

  async revokeAgent({ params, caller }, context) {
    const revoked = await revoke(params.id, actorOf(caller), caller.address, context);
    if (revoked === 0) throw new Refusal("not-found", "this node has no agent with a certificate that is good");
  },

  async createJoinToken({ body, caller }, context) {
    sessionOf(caller);
    return addJoinToken(body, actorOf(caller), caller.address, context);
  },

  async getAgentSettings(_call, { agentSettings }) {
    return agentSettings.current();
  },

  async setAgentSettings(call, context) {
    const settings = await context.agentSettings.change(() => call.body);
    await audited(context, call, "agent-settings.set", String(settings.revision), call.body);
    return settings;
  },
};

export const identityHandlers: HandlersOf<"identity"> = {
  async enrol({ body, caller }, context) {
    return enrol(body, caller.address, context);
  },

  async renewCertificate({ body, caller }, context) {
    if (caller.kind !== "agent" || !caller.certificate) {
      throw new Refusal("forbidden", "only an agent with a certificate renews one");
    }
    return renew(body.request, caller.certificate, caller.address, context);
  },
};
