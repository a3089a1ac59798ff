/** A control plane with the rights of an account, and what it says of itself. */
import type { Client } from "@bulwark/contract";
import { eventually } from "@bulwark/testkit";
import { startProduct, type Product } from "../product.ts";
import { namespace } from "./accounts.ts";

export async function serve(
  kubeconfig: string,
  clusters: object[] = [],
  more: object = {},
): Promise<Product & { client: Client }> {
  const serviceAccount = { name: `${namespace}/bulwark-agent`, configMap: `${namespace}/bulwark-authority` };
  const config = JSON.stringify({ server: { agents: { serviceAccount }, kubernetes: { clusters }, ...more } });
  const product = await startProduct({ command: "serve", config, env: { KUBECONFIG: kubeconfig } });
  return { ...product, client: await product.api() };
}

/** Waits until health says of a part what is asked for. */
export async function says(
  { client }: { client: Client },
  part: string,
  isSo: (told: { state: string; reason: string }) => boolean,
): Promise<void> {
  await eventually(
    part,
    async () => {
      const found = (await client.getHealth()).components.find(({ id }) => id === part);
      if (found && isSo(found)) return true;
      throw new Error(JSON.stringify(found));
    },
    60_000,
  );
}
