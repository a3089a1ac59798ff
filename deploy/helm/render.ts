/** `npm run chart`: writes `deploy/bulwark.yaml`, the chart with its defaults for `kubectl apply`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildPrograms } from "../../e2e/cluster/programs.ts";
import { run } from "../images/run.ts";

export const chart = join(import.meta.dirname, "bulwark");
export const renderedFile = join(import.meta.dirname, "../bulwark.yaml");

const head = `# Bulwark for kubectl, rendered from deploy/helm/bulwark (npm run chart). Images: put your registry before
# bulwark/server and bulwark/agent. First make its namespace and its keys, once, and keep them:
#
#   kubectl create namespace bulwark
#   kubectl -n bulwark create secret generic bulwark-keys \\
#     --from-literal=key="$(openssl rand -hex 32)" --from-literal=metrics-token="$(openssl rand -hex 20)"
#   kubectl apply -f deploy/bulwark.yaml
`;

/** What the chart makes of values, each `name=value`. */
export async function template(...values: string[]): Promise<string> {
  const { helm } = await buildPrograms();
  const set = values.flatMap((value) => ["--set", value]);
  return run(helm, ["template", "bulwark", chart, "--namespace", "bulwark", "--kube-version", "1.36", ...set]);
}

export async function render(): Promise<string> {
  return `${head}${await template("keys.existingSecret=bulwark-keys")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(renderedFile, await render());
