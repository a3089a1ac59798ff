/** Questions to the authorizer of a cluster (kubernetes.authz, kubernetes.authzselectors). */
import { define, type Cost, type Overload } from "../environment.ts";
import { parseType, type Type } from "../types.ts";
import { CelValue, sizeOf } from "../values.ts";

/** Who asks; undefined: the user of the request. */
export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface AccessQuestion {
  readonly subject: Subject | undefined;
  readonly verb: string;
  /** Of a request that is not for a resource. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  /** The question could not be answered: then it is not allowed. */
  readonly error?: string;
}

/** Answers at once: whoever needs a round trip asks before the evaluation, or evaluates again with the answers. */
export type Ask = (question: AccessQuestion) => AccessAnswer;

const authorizerType = parseType("kubernetes.authorization.Authorizer");
const pathType = parseType("kubernetes.authorization.PathCheck");
const groupType = parseType("kubernetes.authorization.GroupCheck");
const resourceType = parseType("kubernetes.authorization.ResourceCheck");
const decisionType = parseType("kubernetes.authorization.Decision");

/** A value that is only asked; no two of them are equal. */
abstract class Receiver extends CelValue {
  equals(other: CelValue): boolean {
    return other === this;
  }
}

/** The variable `authorizer`. */
export class Authorizer extends Receiver {
  readonly ask: Ask;
  readonly subject: Subject | undefined;
  constructor(ask: Ask, subject?: Subject) {
    super();
    this.ask = ask;
    this.subject = subject;
  }
  get type(): Type {
    return authorizerType;
  }
}

class Check extends Receiver {
  readonly authorizer: Authorizer;
  readonly parts: Omit<AccessQuestion, "subject" | "verb">;
  readonly type: Type;
  constructor(type: Type, authorizer: Authorizer, parts: Omit<AccessQuestion, "subject" | "verb">) {
    super();
    this.type = type;
    this.authorizer = authorizer;
    this.parts = parts;
  }
}

class Decision extends Receiver {
  readonly answer: AccessAnswer;
  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }
  get type(): Type {
    return decisionType;
  }
}

function decide({ authorizer, parts }: Check, verb: string): Decision {
  return new Decision(authorizer.ask({ subject: authorizer.subject, verb, ...parts }));
}

/** The check with one more part. */
function part(key: keyof Omit<AccessQuestion, "subject" | "verb">) {
  return (check: Check, value: string): Check =>
    new Check(resourceType, check.authorizer, { ...check.parts, [key]: value });
}

function serviceAccount(authorizer: Authorizer, namespace: string, name: string): Authorizer {
  return new Authorizer(authorizer.ask, {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  });
}

/** Two checks are what one expression can pay for. */
const checkCost: Cost = () => 350_000;
const selectorCost: Cost = (_, __, selector) => {
  const length = sizeOf(selector);
  return 10 + Math.ceil(length * 0.1) + Math.ceil(Math.ceil(length * 0.5) * 50);
};

const names = {
  A: "kubernetes.authorization.Authorizer",
  P: "kubernetes.authorization.PathCheck",
  G: "kubernetes.authorization.GroupCheck",
  R: "kubernetes.authorization.ResourceCheck",
  D: "kubernetes.authorization.Decision",
};

export const kubernetesAuthorizer: readonly Overload[] = [
  define(`(${names.A}).path(string): ${names.P}`, (it: Authorizer, path: string) => new Check(pathType, it, { path })),
  define(
    `(${names.A}).group(string): ${names.G}`,
    (it: Authorizer, group: string) => new Check(groupType, it, { group }),
  ),
  define(`(${names.A}).serviceAccount(string, string): ${names.A}`, serviceAccount),
  define(`(${names.G}).resource(string): ${names.R}`, part("resource")),
  define(`(${names.R}).subresource(string): ${names.R}`, part("subresource")),
  define(`(${names.R}).namespace(string): ${names.R}`, part("namespace")),
  define(`(${names.R}).name(string): ${names.R}`, part("name")),
  define(`(${names.R}).fieldSelector(string): ${names.R}`, part("fieldSelector"), selectorCost),
  define(`(${names.R}).labelSelector(string): ${names.R}`, part("labelSelector"), selectorCost),
  define(`(${names.P}).check(string): ${names.D}`, decide, checkCost),
  define(`(${names.R}).check(string): ${names.D}`, decide, checkCost),
  define(`(${names.D}).allowed(): bool`, ({ answer }: Decision) => answer.allowed),
  define(`(${names.D}).reason(): string`, ({ answer }: Decision) => answer.reason),
  define(`(${names.D}).errored(): bool`, ({ answer }: Decision) => answer.error !== undefined),
  define(`(${names.D}).error(): string`, ({ answer }: Decision) => answer.error ?? ""),
];
