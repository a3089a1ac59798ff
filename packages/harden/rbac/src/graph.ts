import { createAccess, subjectKey, type Access, type Grant, type Request } from "./access.ts";
import { RbacError } from "./error.ts";
import { readObjects, type Binding, type ClusterObjects, type Role, type Subject } from "./objects.ts";
import { findPaths, type Goal, type Path } from "./paths.ts";
import { createWorld, type State } from "./state.ts";

/** A right of a subject, and what gives it. */
export interface Permission {
  readonly namespace: string | null;
  readonly role: Role;
  readonly binding: Binding;
  /** The subject itself, or the group that it is in. */
  readonly through: Subject;
}

export interface Graph {
  readonly objects: ClusterObjects;
  /** Everyone that a binding names, and every service account. */
  subjects(): Subject[];
  /** Who may do it, and what gives it. `namespace` null asks for everywhere; a name, for there. */
  whoCan(request: Request & { namespace?: string | null; name?: string }): Grant[];
  whoCanReach(verb: string, url: string): readonly Grant[];
  permissions(subject: Subject): Permission[];
  /** The ways from what an attacker holds to the goal, shortest first. Raises `RbacError` where there is no such start. */
  paths(from: State, goal: Goal, options?: PathOptions): Path[];
  /** Bindings without which there is no way left: each alone closes them all. */
  cuts(from: State, goal: Goal): Binding[];
}

interface PathOptions {
  /** At the most so many; 20 unless said. */
  most?: number;
}

/** Who can do what in a cluster. `objects` are Kubernetes objects of any kind; those that say nothing are passed over. */
export function createGraph(objects: readonly Readonly<Record<string, unknown>>[]): Graph {
  return graphOf(readObjects(objects));
}

function graphOf(objects: ClusterObjects): Graph {
  const access = createAccess(objects);
  const world = createWorld(objects, access);
  const graph: Graph = {
    objects,
    subjects() {
      const bound = objects.bindings.flatMap(({ subjects }) => subjects);
      const accounts = world.accountsIn(null).map((one): Subject => ({ kind: "ServiceAccount", ...one }));
      return [...new Map([...bound, ...accounts].map((one) => [subjectKey(one), one])).values()];
    },
    whoCan({ namespace, name, ...request }) {
      return access.grants(request).filter((grant) => holds(grant, request, namespace, name));
    },
    whoCanReach: access.urlGrants,
    permissions: (subject) => permissionsOf(access, subject),
    paths(from, goal, { most = 20 } = {}) {
      mustExist(from, objects);
      return findPaths(from, goal, world, most);
    },
    cuts(from, goal) {
      mustExist(from, objects);
      const [first] = findPaths(from, goal, world, 1);
      const bindings = new Set(first?.steps.flatMap(({ grants }) => grants.map(({ binding }) => binding)));
      return [...bindings].filter((binding) => {
        const rest = objects.bindings.filter((one) => one !== binding);
        const without = { ...objects, bindings: rest };
        return findPaths(from, goal, createWorld(without, createAccess(without)), 1).length === 0;
      });
    },
  };
  return graph;
}

function holds(
  grant: Grant,
  request: Request,
  namespace: string | null | undefined,
  name: string | undefined,
): boolean {
  if (namespace === null && grant.namespace !== null) return false;
  if (typeof namespace === "string" && grant.namespace !== null && grant.namespace !== namespace) return false;
  if (grant.names.length === 0) return true;
  // A name is not known yet when an object is created, and a list is of all: such a right is never used.
  if (request.verb === "create" && !request.resource.includes("/")) return false;
  return name === undefined || grant.names.includes(name);
}

function permissionsOf(access: Access, subject: Subject): Permission[] {
  return access
    .bindingsOf(subject)
    .flatMap(({ binding, role, through }) =>
      role === undefined ? [] : [{ namespace: binding.namespace, role, binding, through }],
    );
}

function mustExist(from: State, { pods, nodes }: ClusterObjects): void {
  const remedy = "give the objects of the cluster that it is in, pods and nodes included";
  if (from.kind === "pod" && !pods.some(({ namespace, name }) => namespace === from.namespace && name === from.name)) {
    throw new RbacError("unknown", `there is no pod ${from.namespace}/${from.name}`, { remedy });
  }
  if (from.kind === "node" && !nodes.includes(from.name)) {
    throw new RbacError("unknown", `there is no node ${from.name}`, { remedy });
  }
}
