import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, KubeError, resources, type Kube } from "@bulwark/kube";
import { systemCode } from "@bulwark/model";

/** Where an identity is kept: a few short texts by their names, private ones. */
export interface Keeper {
  /** Undefined where there is none. */
  read(name: string): Promise<string | undefined>;
  /** There is the old text or the new one, never half of one. */
  write(name: string, text: string): Promise<void>;
}

export function folderKeeper(folder: string): Keeper {
  return {
    async read(name) {
      try {
        return await readFile(join(folder, name), "utf8");
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(name, text) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, name);
      await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    },
  };
}

/** A Secret of the cluster (`namespace/name`), for what runs where no disk stays. */
export function secretKeeper(secret: string, open: () => Kube = connect): Keeper {
  const [namespace = "", name = ""] = secret.split("/");
  return {
    async read(key) {
      using kube = open();
      try {
        const { data } = (await kube.get(resources.secrets, name, { namespace })) as { data?: Record<string, string> };
        const text = data?.[key];
        return text === undefined ? undefined : Buffer.from(text, "base64").toString("utf8");
      } catch (error) {
        if (error instanceof KubeError && error.code === "not-found") return undefined;
        throw error;
      }
    },
    async write(key, text) {
      using kube = open();
      const data = { [key]: Buffer.from(text).toString("base64") };
      try {
        await kube.patch(resources.secrets, name, { data }, { namespace });
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== "not-found") throw error;
        await kube.create(resources.secrets, { metadata: { name, namespace }, type: "Opaque", data });
      }
    },
  };
}
