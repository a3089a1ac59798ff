import { ImageError } from "../error.ts";

/** An image in a registry, by tag or digest. */
export interface Reference {
  /** Host, with its port where one is given: `docker.io`, `localhost:5000`. */
  registry: string;
  /** `library/nginx` */
  repository: string;
  tag: string | null;
  digest: string | null;
}

const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryForm = new RegExp(`^${part}(?:/${part})*$`);
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^sha256:[0-9a-f]{64}$/;
const hostForm = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;

/**
 * Reads a reference as Docker does: without a host it is Docker Hub's, there without an owner it is `library`'s, without
 * tag and digest it is `latest`. https://github.com/distribution/reference
 */
export function parseReference(text: string): Reference {
  const [name = "", digest = null, ...more] = text.split("@");
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const registry = hasHost ? first.toLowerCase() : "docker.io";
  const rest = hasHost ? name.slice(slash + 1) : name;
  const colon = rest.lastIndexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? null : rest.slice(colon + 1);
  const hub = registry === "docker.io" || registry === "index.docker.io";
  const repository = hub && !path.includes("/") ? `library/${path}` : path;
  const wrong =
    more.length > 0 ||
    !hostForm.test(registry) ||
    repository.length > 255 ||
    !repositoryForm.test(repository) ||
    (tag !== null && !tagForm.test(tag)) ||
    (digest !== null && !digestForm.test(digest));
  if (wrong) {
    throw new ImageError("not-found", `${text} is neither a file that is there nor the name of an image`, {
      remedy: "name a file, a folder, or an image as in nginx:1.27 or registry.example/shop/web@sha256:…",
    });
  }
  return {
    registry: hub ? "docker.io" : registry,
    repository,
    tag: tag ?? (digest === null ? "latest" : null),
    digest,
  };
}

/** As Docker writes it whole. */
export function referenceText({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
}
