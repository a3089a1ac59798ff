import { defineDetector, type Detection, type Detector } from "../detector.ts";
import { commandOf } from "../evidence.ts";
import { interpreterKind } from "../interpreters.ts";
import { createPipes, type Pipes } from "../pipes.ts";
import type { Entry, ProcessTable } from "../process-table.ts";

/** Programs at the other end of a terminal whose work that is. */
const terminalServers =
  /^(?:sshd(?:-session)?|dropbear|telnetd|in\.telnetd|ttyd|gotty|wetty|tmux(?:: server)?|screen|containerd-shim.*|runc|conmon|crun)$/i;
/** Parents that are asked who they are connected to. */
const generations = 4;

/**
 * A shell that is connected to the network through somebody else: what it reads comes from a program that talks to the
 * network, and what it writes goes there. Found by what the descriptors are connected to, whatever the programs are:
 * - pipes and FIFOs: `mkfifo f; sh <f | nc … >f`, two telnets, openssl, socat;
 * - a terminal, or pipes without a command, whose other end is a program that connected out: pty.spawn() of python, socat
 *   with `pty`, and what is compiled to do the same.
 * What a client of the runtime types into (`kubectl exec`) comes from outside of the container, and is not this.
 */
export function createRelayedShell(): Detector {
  const pipes = createPipes();

  return defineDetector({
    id: "relayed-shell",
    title: "Shell connected to the network through another program",
    description:
      "A shell reads its commands from a program that is connected to the network, and writes what they print back to it: somebody on the other end can type commands into this container.",
    remedy:
      "Look at the peer and at the program between. If nobody of yours did this, stop the container, keep its file system for the investigation, and change the credentials that it could read.",
    severity: "critical",
    techniques: ["T1059.004", "T1095"],
    needs: ["exec", "fork", "exit", "connect"],
    detect(observation): Detection | undefined {
      const { kind, process, table } = observation;
      if (kind === "exit") {
        pipes.remove(process);
        return undefined;
      }
      if (kind === "exec" || kind === "fork") pipes.add(process);
      if (kind === "exec" && interpreterKind(process) === "shell") return judge(process, pipes, table);
      if (kind !== "connect") return undefined;
      // The shell may have been there before the program between connected.
      return first(shellsOf(process, pipes, table), (shell) => judge(shell, pipes, table));
    },
  });
}

function judge(shell: Entry, pipes: Pipes, table: ProcessTable): Detection | undefined {
  const relay = throughPipes(shell, pipes, table) ?? throughParent(shell, table);
  if (relay === undefined) return undefined;
  return {
    subject: shell,
    key: shell.key,
    severity: relay.how === "parent" ? "high" : "critical",
    evidence: [
      { key: "peer", value: relay.program.peers.at(-1) ?? "" },
      { key: "relay", value: commandOf(relay.program) },
      { key: "program", value: shell.executable },
      { key: "connection", value: relay.how === "parent" ? "terminal" : "pipe" },
    ],
  };
}

interface Relay {
  program: Entry;
  how: "pipes" | "parent";
}

/** Somebody connected reads what the shell writes, and what the shell reads was written by somebody connected. */
function throughPipes(shell: Entry, pipes: Pipes, table: ProcessTable): Relay | undefined {
  // What the pipes know is how a process began; whom it connected to since, the table knows.
  const connected = (entry: Entry): Entry | undefined => {
    const now = table.get(entry.pid, entry.startTime);
    return now !== undefined && now.peers.length > 0 ? now : undefined;
  };
  const output = first(pipes.downstream(shell), connected);
  const input = first(pipes.upstream(shell), connected);
  if (output === undefined || input === undefined) return undefined;
  return { program: output, how: "pipes" };
}

/** A shell that waits for commands, at a terminal or at pipes, and a parent that connected out and is inside. */
function throughParent(shell: Entry, table: ProcessTable): Relay | undefined {
  if (!waitsForCommands(shell)) return undefined;
  for (const parent of table.ancestors(shell, generations)) {
    if (parent.isRuntime || terminalServers.test(parent.name)) return undefined;
    // A person at a shell of his own, who started a client before.
    if (interpreterKind(parent) === "shell") continue;
    if (parent.peers.length > 0) return { program: parent, how: "parent" };
  }
  return undefined;
}

const typeMask = 0o170_000;
const pipe = 0o010_000;
const characterDevice = 0o020_000;

/** No command and no script on its command line, and something that can be typed into as its input. */
function waitsForCommands(shell: Entry): boolean {
  const input = shell.stdio[0];
  const [, ...words] = shell.arguments;
  if (
    input === undefined ||
    shell.argumentsCut ||
    !words.every((word) => /^-(?:[ilps]+|-login|-noprofile|-norc|-posix)$/.test(word))
  )
    return false;
  const kind = input.mode & typeMask;
  if (kind === characterDevice) {
    const major = (input.device >>> 8) & 0xfff;
    return major >= 136 && major <= 143;
  }
  return kind === pipe || (kind === 0o140_000 && input.family === 1);
}

/** Shells that a program which just connected may be the other end of. */
function* shellsOf(program: Entry, pipes: Pipes, table: ProcessTable): Generator<Entry> {
  for (const entry of [...pipes.upstream(program), ...pipes.downstream(program)]) {
    if (interpreterKind(entry) === "shell") yield entry;
  }
  for (const child of table.children(program)) {
    if (interpreterKind(child) === "shell") yield child;
  }
}

function first<T, R>(items: Iterable<T>, find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
