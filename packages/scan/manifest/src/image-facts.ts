import type { Facts } from "@bulwark/check";
import type { Examined } from "@bulwark/image";
import { looksSecret } from "./secret-name.ts";

/** What one file says of how an image is set up. */
export interface FileFact {
  setuid: boolean;
  setgid: boolean;
  worldWritable: boolean;
  /** `shell`, `sudo`, `package-manager`, `ssh-server`, `compiler`, `cache`. */
  roles: string[];
}

/** What checks of images may ask for. Without a configuration (a bare tree) what it says is missing. */
export function imageFacts({ facts, tree }: Examined<FileFact>): Facts {
  const files = facts
    .filter(({ removed }) => !removed)
    .map(({ entry, fact }) => ({ path: entry.path, uid: entry.uid, ...fact }));
  const { config } = tree;
  const image = {
    files,
    ...(config && {
      user: config.user,
      variables: config.environment.map((variable) => {
        const [name = "", ...value] = variable.split("=");
        return { name, set: value.join("=") !== "", secret: looksSecret(name) };
      }),
      ports: config.exposedPorts.map((port) => port.split("/")[0] ?? ""),
      healthcheck: config.healthcheck,
      command: [...config.entrypoint, ...config.command],
      labels: config.labels,
      steps: config.history.map(({ createdBy }, index) => ({ number: index + 1, text: createdBy })),
    }),
  };
  const lacking = ["user", "variables", "ports", "healthcheck", "command", "labels", "steps"];
  const missing: Record<string, string> = config
    ? {}
    : Object.fromEntries(lacking.map((name) => [`image.${name}`, "a bare file tree has no image configuration"]));
  const [fault] = tree.faults;
  // A layer that could not be read: what is not in the list may be in the image.
  if (fault) missing["image.files"] = "a part of the image could not be read";
  return { values: { image }, missing };
}
