import type { Binding, ClusterObjects, Role, Rule, Subject } from "./objects.ts";

/** A question to the authorizer about objects; `names` is what a grant is limited to, not part of the question. */
export interface Request {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** `pods`, `pods/exec`. */
  readonly resource: string;
  /** Of objects that are in no namespace: a RoleBinding does not give them. */
  readonly clusterScoped?: boolean;
}

/** Why a subject may do something. */
export interface Grant {
  readonly subject: Subject;
  /** Where it holds; null: everywhere. */
  readonly namespace: string | null;
  /** What it is limited to; empty: all. */
  readonly names: readonly string[];
  readonly binding: Binding;
  readonly role: Role;
  /** Index of the rule in the role. */
  readonly rule: number;
}

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/, as plugin/pkg/auth/authorizer/rbac decides. */
export function ruleAllows(rule: Rule, { verb, group, resource }: Request): boolean {
  return has(rule.verbs, verb) && has(rule.groups, group) && hasResource(rule.resources, resource);
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes("*") || list.includes(wanted);
}

/** A star is every resource with every subresource; a star before `/scale` that subresource of every resource. */
function hasResource(list: readonly string[], wanted: string): boolean {
  if (has(list, wanted)) return true;
  const slash = wanted.indexOf("/");
  return slash > 0 && list.includes(`*${wanted.slice(slash)}`);
}

function urlAllowed(rule: Rule, verb: string, url: string): boolean {
  if (!has(rule.verbs, verb)) return false;
  return rule.urls.some((one) => one === url || (one.endsWith("*") && url.startsWith(one.slice(0, -1))));
}

export interface Access {
  /** Every grant that answers the request, of all subjects. */
  grants(request: Request): readonly Grant[];
  /** Grants of the subject and of the groups that it is in. */
  grantsOf(subject: Subject, request: Request): readonly Grant[];
  urlGrants(verb: string, url: string): readonly Grant[];
  /** Bindings that reach the subject, with their roles. */
  bindingsOf(subject: Subject): readonly { binding: Binding; role: Role | undefined; through: Subject }[];
}

/** Answers are kept: the questions of the ways through a cluster are few, and the same for every subject. */
export function createAccess({ roles, bindings }: Pick<ClusterObjects, "roles" | "bindings">): Access {
  const rolesByKey = new Map(roles.map((role) => [roleKey(role.namespace, role.name), role]));
  const bindingsByRole = Map.groupBy(bindings, ({ namespace, role }) =>
    roleKey(role.kind === "Role" ? namespace : null, role.name),
  );
  const bySubject = new Map<string, { binding: Binding; through: Subject }[]>();
  for (const binding of bindings) {
    for (const subject of binding.subjects) {
      const key = subjectKey(subject);
      const list = bySubject.get(key) ?? [];
      if (list.length === 0) bySubject.set(key, list);
      list.push({ binding, through: subject });
    }
  }
  const answers = new Map<string, Map<string, Grant[]>>();

  function collect(test: (rule: Rule) => boolean, clusterScoped: boolean): Map<string, Grant[]> {
    const found = new Map<string, Grant[]>();
    for (const [key, role] of rolesByKey) {
      const rules = role.rules.flatMap((rule, index) => (test(rule) ? [{ rule, index }] : []));
      if (rules.length === 0) continue;
      for (const binding of bindingsByRole.get(key) ?? []) {
        if (clusterScoped && binding.namespace !== null) continue;
        for (const subject of binding.subjects) {
          const grants = rules.map(({ rule, index }) => ({
            subject,
            namespace: binding.namespace,
            names: rule.names,
            binding,
            role,
            rule: index,
          }));
          const whose = subjectKey(subject);
          const list = found.get(whose);
          if (list) list.push(...grants);
          else found.set(whose, grants);
        }
      }
    }
    return found;
  }

  function answer(request: Request): Map<string, Grant[]> {
    const key = `${request.verb}\u0000${request.group}\u0000${request.resource}\u0000${request.clusterScoped === true}`;
    let found = answers.get(key);
    if (!found)
      answers.set(key, (found = collect((rule) => ruleAllows(rule, request), request.clusterScoped === true)));
    return found;
  }

  return {
    grants: (request) => [...answer(request).values()].flat(),
    grantsOf(subject, request) {
      const found = answer(request);
      return [subject, ...groupsOf(subject)].flatMap((one) => found.get(subjectKey(one)) ?? []);
    },
    urlGrants: (verb, url) => [...collect((rule) => urlAllowed(rule, verb, url), true).values()].flat(),
    bindingsOf: (subject) =>
      [subject, ...groupsOf(subject)].flatMap((one) =>
        (bySubject.get(subjectKey(one)) ?? []).map(({ binding, through }) => ({
          binding,
          through,
          role: rolesByKey.get(roleKey(binding.role.kind === "Role" ? binding.namespace : null, binding.role.name)),
        })),
      ),
  };
}

function roleKey(namespace: string | null, name: string): string {
  return `${namespace ?? ""}\u0000${name}`;
}

export function subjectKey(subject: Subject): string {
  return subject.kind === "ServiceAccount"
    ? `s:${subject.namespace}/${subject.name}`
    : `${subject.kind}:${subject.name}`;
}

/** `ServiceAccount shop/web`, `User alice`. */
export function subjectText(subject: Subject): string {
  const name = subject.kind === "ServiceAccount" ? `${subject.namespace}/${subject.name}` : subject.name;
  return `${subject.kind} ${name}`;
}

/** Groups that the API server itself puts a subject in; those of a user's certificate or token are not known here. */
function groupsOf(subject: Subject): Subject[] {
  const group = (name: string): Subject => ({ kind: "Group", name });
  if (subject.kind === "ServiceAccount") {
    return [
      group("system:serviceaccounts"),
      group(`system:serviceaccounts:${subject.namespace}`),
      group("system:authenticated"),
    ];
  }
  if (subject.name === "system:anonymous" || subject.name === "system:unauthenticated") {
    return subject.kind === "User" ? [group("system:unauthenticated")] : [];
  }
  const nodes = subject.kind === "User" && subject.name.startsWith("system:node:") ? [group("system:nodes")] : [];
  return subject.name === "system:authenticated" ? [] : [...nodes, group("system:authenticated")];
}
