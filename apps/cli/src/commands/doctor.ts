import { parseArgs, styleText } from "node:util";
import type { Command, Io } from "../command.ts";
import { examine } from "../doctor/index.ts";
import type { Finding, ProbeState } from "../doctor/probe.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage } from "../local/options.ts";

const usage = `Usage: bulwark doctor [OPTION…]

Looks at this machine: kernel, capabilities, cgroups, sensor, container runtimes,
port, disk, clock, and whether the advisory feeds can be reached. Each line that
is not right comes with its remedy. Exit code 1 when something keeps Bulwark from
running; what is only off does not.

${configUsage}  --offline       ask nothing of the network
  --format json   for programs
`;

const options = { ...configFlags, offline: { type: "boolean" }, format: { type: "string" } } as const;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const findings = await examine({ config: configFrom(values), online: !values.offline });
  if (values.format === "json") stdout.write(`${JSON.stringify({ findings }, null, 2)}\n`);
  else stdout.write(findings.map(lines).join(""));
  return findings.some(({ state }) => state === "failed") ? 1 : 0;
}

const marks: Record<ProbeState, string> = {
  ok: styleText("green", "ok    "),
  off: styleText("yellow", "off   "),
  failed: styleText("red", "failed"),
};

function lines({ name, state, text, remedy }: Finding): string {
  const first = `${marks[state]}  ${name.padEnd(14)} ${text}\n`;
  return remedy === "" ? first : `${first}${" ".repeat(23)}${styleText("dim", `→ ${remedy}`)}\n`;
}

export const doctorCommand: Command = { name: "doctor", summary: "what works on this machine", usage, run };
