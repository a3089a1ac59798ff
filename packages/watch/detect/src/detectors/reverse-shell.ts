import type { DescriptorRecord } from "@bulwark/sensor";
import { isInet } from "../convert.ts";
import { defineDetector, type Detection } from "../detector.ts";
import { interpreterKind } from "../interpreters.ts";
import { addressText, type Entry, type ProcessTable } from "../process-table.ts";

/**
 * A shell or interpreter whose standard input or output is a network socket, whatever program put it there. It is seen
 * - at exec: the socket was put onto the descriptors before (`nc -e`, socat, `bash -i >& /dev/tcp/…`);
 * - at fork: a shell or interpreter moved a socket onto its own descriptors and now starts a command; the new process
 *   has copies of them;
 * - at exec of a command that a shell gave a socket as its standard input or output (`cat <&5 | while read …`);
 * - by a look a moment after the shell itself connected, for one that starts no command at all.
 * Sockets of the local machine (AF_UNIX), pipes and terminals are what runtimes use for exec sessions: not these.
 */
export const reverseShell = defineDetector({
  id: "reverse-shell",
  title: "Shell connected to the network",
  description:
    "The standard input or output of a shell or interpreter is a network socket: somebody on the other end can type commands into this container.",
  remedy:
    "Look at the peer and at the process that started the shell. If nobody of yours did this, stop the container, keep its file system for the investigation, and change the credentials that it could read.",
  severity: "critical",
  techniques: ["T1059.004"],
  needs: ["exec", "fork", "connect", "look"],
  detect({ kind, process, table }): Detection | undefined {
    const socket = networkStdio(process);
    if (!socket) return undefined;
    if (kind === "fork") return detection(table.parent(process), socket, table);
    // What a forked copy of a shell does before it is a command of its own says nothing that its fork has not said.
    if (interpreterKind(process)) return detection(process, socket, table);
    if (kind !== "exec") return undefined;
    // An interpreter that serves the network may well hand a connection to a program; a shell does not.
    const parent = table.parent(process);
    return parent && interpreterKind(parent) === "shell" ? detection(parent, socket, table) : undefined;
  },
});

function networkStdio({ stdio }: Entry): DescriptorRecord | undefined {
  return stdio.find(({ fd, family, remote }) => fd <= 1 && isInet(family) && remote !== null && remote.port !== 0);
}

function detection(shell: Entry | undefined, socket: DescriptorRecord, table: ProcessTable): Detection | undefined {
  if (!shell || !interpreterKind(shell) || !socket.remote) return undefined;
  const peer = addressText(socket.remote);
  const chain = [shell, ...table.ancestors(shell)];
  const connected = chain.some(({ peers }) => peers.includes(peer));
  return {
    subject: shell,
    // Whatever the shell starts has the same connection, and shells among it are the same story.
    key: socket.inode === 0 ? shell.key : String(socket.inode),
    evidence: [
      { key: "peer", value: peer },
      ...(socket.local && socket.local.port !== 0 ? [{ key: "local", value: addressText(socket.local) }] : []),
      { key: "descriptor", value: String(socket.fd) },
      { key: "direction", value: connected ? "outgoing" : "unknown" },
      { key: "program", value: shell.executable },
    ],
  };
}
