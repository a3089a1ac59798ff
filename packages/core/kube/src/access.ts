import type { Kube } from "./client.ts";

/** Who may do what: of a subject, or of this client itself. */
export interface AccessQuestion {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of what is no resource: `/metrics`. */
  readonly path?: string;
  /** This client itself where it is missing. */
  readonly subject?: { readonly user: string; readonly groups?: readonly string[]; readonly uid?: string };
}

export interface AccessReview {
  readonly allowed: boolean;
  readonly reason: string;
}

/** A SubjectAccessReview, or a SelfSubjectAccessReview. Raises a `KubeError`; whoever decides by it takes that for no. */
export async function can(kube: Kube, question: AccessQuestion): Promise<AccessReview> {
  const { verb, path, subject, ...resource } = question;
  const attributes =
    path === undefined ? { resourceAttributes: { verb, ...resource } } : { nonResourceAttributes: { verb, path } };
  const kind = subject ? "SubjectAccessReview" : "SelfSubjectAccessReview";
  const answer = (await kube.transport.json({
    method: "POST",
    path: `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`,
    body: { apiVersion: "authorization.k8s.io/v1", kind, spec: { ...attributes, ...subject } },
    what: `ask whether ${subject?.user ?? "we"} may ${verb} ${path ?? question.resource ?? ""}`,
  })) as { status?: { allowed?: boolean; denied?: boolean; reason?: string; evaluationError?: string } } | undefined;
  const status = answer?.status ?? {};
  const reason = status.reason ?? status.evaluationError ?? "";
  return { allowed: status.allowed === true && status.denied !== true, reason };
}

/** Whose token it is. */
export interface Identity {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** Such as `authentication.kubernetes.io/pod-name`, `…/node-name`. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A TokenReview: whose token it is, or undefined where it is nobody's or for another audience. */
export async function reviewToken(
  kube: Kube,
  token: string,
  audiences?: readonly string[],
): Promise<Identity | undefined> {
  const answer = (await kube.transport.json({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/tokenreviews",
    body: {
      ...{ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" },
      spec: { token, ...(audiences ? { audiences } : {}) },
    },
    what: "ask whose token it is",
  })) as { status?: TokenStatus } | undefined;
  const { authenticated, user, audiences: granted } = answer?.status ?? {};
  if (authenticated !== true || user?.username === undefined) return undefined;
  // A server that knows no audiences says none: then the token was for itself.
  if (audiences && !audiences.some((audience) => granted?.includes(audience))) return undefined;
  return { user: user.username, uid: user.uid ?? "", groups: user.groups ?? [], extra: user.extra ?? {} };
}

interface TokenStatus {
  authenticated?: boolean;
  audiences?: string[];
  user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
}
