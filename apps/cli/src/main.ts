import { BulwarkError, errorText, systemCode } from "@bulwark/model/plain";
import type { Command, Io } from "./command.ts";
import { printable } from "./local/text.ts";
import { version } from "./local/version.ts";

/** Every command, in the order of the help. Each is loaded when it is called, so that none pays for another. */
const commands: { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: "up",
    summary: "guard this machine: server, console and agent",
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  {
    name: "serve",
    summary: "the control plane alone; agents connect to it",
    load: async () => (await import("./commands/serve.ts")).serveCommand,
  },
  {
    name: "agent",
    summary: "one node, sending to a control plane",
    load: async () => (await import("./commands/agent.ts")).agentCommand,
  },
  {
    name: "cluster",
    summary: "the objects of a cluster elsewhere, for a control plane",
    load: async () => (await import("./commands/cluster.ts")).clusterCommand,
  },
  {
    name: "demo",
    summary: "a recorded attack replayed live: no root, no network, no containers",
    load: async () => (await import("./commands/demo.ts")).demoCommand,
  },
  {
    name: "scan",
    summary: "what is inside an image or a root file system, and what is known of it",
    load: async () => (await import("./commands/scan.ts")).scanCommand,
  },
  {
    name: "db",
    summary: "the advisory database: update it, or see how old it is",
    load: async () => (await import("./commands/db.ts")).dbCommand,
  },
  {
    name: "cache",
    summary: "what scans keep of images: how much, and forget it",
    load: async () => (await import("./commands/cache.ts")).cacheCommand,
  },
  {
    name: "store",
    summary: "copy all that a server remembers from SQLite to PostgreSQL",
    load: async () => (await import("./commands/store.ts")).storeCommand,
  },
  {
    name: "network",
    summary: "what network policies do: who may connect to whom, and why",
    load: async () => (await import("./commands/network.ts")).networkCommand,
  },
  {
    name: "check",
    summary: "how things are set up, held against policies",
    load: async () => (await import("./commands/check.ts")).checkCommand,
  },
  {
    name: "harden",
    summary: "mend what check host finds: a plan, a dry run, a way back",
    load: async () => (await import("./commands/harden.ts")).hardenCommand,
  },
  {
    name: "policy",
    summary: "admission policies: list them, run their cases",
    load: async () => (await import("./commands/policy.ts")).policyCommand,
  },
  {
    name: "rbac",
    summary: "who can do what in a cluster, and the ways to its control",
    load: async () => (await import("./commands/rbac.ts")).rbacCommand,
  },
  {
    name: "watch",
    summary: "what containers of this machine do, as alerts on the terminal",
    load: async () => (await import("./commands/watch.ts")).watchCommand,
  },
  {
    name: "rules",
    summary: "rules in Falco's language: check, test and list them",
    load: async () => (await import("./commands/rules.ts")).rulesCommand,
  },
  {
    name: "doctor",
    summary: "what works on this machine, what does not, and how to mend it",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "login",
    summary: "a new one-time login link for the console of this machine",
    load: async () => (await import("./commands/login.ts")).loginCommand,
  },
  {
    name: "join",
    summary: "a token with which the agent of another machine joins",
    load: async () => (await import("./commands/join.ts")).joinCommand,
  },
  {
    name: "agents",
    summary: "agents of other machines: list them, revoke one",
    load: async () => (await import("./commands/agents.ts")).agentsCommand,
  },
];

const help = `Usage: bulwark COMMAND [OPTION…]

Container security: what is inside, how it is set up, what it does, who it talks to.

Commands:
${commands.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join("\n")}

bulwark COMMAND --help tells more. bulwark --version prints the version.

Exit codes: 0 done, 1 done and the gate that was asked for is not met,
2 the call or its input is wrong, 3 done in part.
`;

// Whoever wanted the first lines only (`| head`) has them.
process.stdout.on("error", (error) => {
  if (systemCode(error) !== "EPIPE") throw error;
});
const exit = await main(process.argv.slice(2), process);
process.exitCode = exit;

async function main(args: string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.stdout.write(help);
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    io.stdout.write(`${version()}\n`);
    return 0;
  }
  const entry = commands.find((command) => command.name === name);
  if (!entry) {
    io.stderr.write(`bulwark: no command "${printable(name)}"; bulwark --help lists them\n`);
    return 2;
  }
  const command = await entry.load();
  if (rest.includes("--help") || rest.includes("-h")) {
    io.stdout.write((await command.help?.(rest)) ?? command.usage);
    return 0;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (!isWrongCall(error)) throw error;
    const remedy = error instanceof BulwarkError && error.remedy ? ` (${error.remedy})` : "";
    io.stderr.write(`bulwark ${name}: ${printable(errorText(error) + remedy)}\n`);
    return 2;
  }
}

/** On purpose, or what `parseArgs` throws for an unknown flag. Everything else is a defect and keeps its stack. */
function isWrongCall(error: unknown): boolean {
  if (error instanceof BulwarkError) return true;
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
