import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";

/** What can be checked, in the order of the help. A new one is a file in `check/` and a line here. */
const subjects: { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: "manifest",
    summary: "Kubernetes objects in files against policies, before they are applied",
    load: async () => (await import("../check/manifest.ts")).manifestCommand,
  },
  {
    name: "dockerfile",
    summary: "Dockerfiles: user, credentials, base images, downloads, leftovers",
    load: async () => (await import("../check/dockerfile.ts")).dockerfileCommand,
  },
  {
    name: "host",
    summary: "this host: kernel, files, accounts, services, runtimes, Kubernetes (CIS and more)",
    load: async () => (await import("../check/host.ts")).hostCommand,
  },
  {
    name: "cluster",
    summary: "a cluster: objects, roles, kubelets, control plane (CIS)",
    load: async () => (await import("../check/cluster.ts")).clusterCommand,
  },
];

const usage = `Usage: bulwark check SUBJECT …

${subjects.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

bulwark check SUBJECT --help tells more.
`;

async function run(args: string[], io: Io): Promise<number> {
  const [name = "", ...rest] = args;
  const subject = subjects.find((one) => one.name === name);
  const names = subjects.map((one) => one.name).join(", ");
  if (!subject) {
    const what = name === "" ? "says nothing to check" : `no such thing to check: ${name}`;
    throw new UsageError("usage", what, { remedy: `one of ${names}` });
  }
  return (await subject.load()).run(rest, io);
}

async function help([name]: readonly string[]): Promise<string | undefined> {
  return (await subjects.find((one) => one.name === name)?.load())?.usage;
}

export const checkCommand: Command = { name: "check", summary: "how it is set up", usage, help, run };
