import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import type { CheckResult } from "@bulwark/model";
import { chosen, collectHost, evaluateBenchmark, loadLibrary, needsOf, summarize } from "./index.ts";

const library = loadLibrary();

/** A host in a folder: text by path, `->` makes a link. */
function hostOf(context: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "bulwark-host-"));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith("->")) symlinkSync(text.slice(2), join(root, path));
    else writeFileSync(join(root, path), text, { mode: 0o644 });
  }
  return root;
}

function judge(root: string, ...sets: string[]): Map<string, CheckResult> {
  const choice = sets.length > 0 ? { sets: new Set(sets) } : {};
  const needs = needsOf(chosen(library, "host", choice));
  const facts = collectHost({ root, needs });
  // Facts are kept as evidence and judged again elsewhere: they survive being written down.
  const kept = JSON.parse(JSON.stringify(facts)) as typeof facts;
  const { results } = evaluateBenchmark(library, { kind: "host", name: "a" }, kept, choice);
  return new Map(results.map((result) => [result.check, result]));
}

const debian = {
  "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  "etc/passwd": "root:x:0:0:root:/root:/bin/bash\neve:x:1000:1000::/home/eve:/bin/bash\n",
  "etc/group": "root:x:0:\nshadow:x:42:\ndocker:x:999:eve\n",
  "etc/shadow": "root:!:19000:0:99999:7:::\neve::19000:0:99999:7:::\n",
  "etc/shells": "/bin/bash\n",
  "var/lib/dpkg/status":
    "Package: sudo\nStatus: install ok installed\nVersion: 1.9\n\nPackage: telnet\nStatus: deinstall ok config-files\nVersion: 1\n",
  "usr/bin/sudo": "",
  "usr/sbin/sshd": "",
};

test("a host is judged by the sets that are about it, and by no other", (context) => {
  const root = hostOf(context, debian);
  const choice = {};
  const facts = collectHost({ root, needs: needsOf(chosen(library, "host", choice)) });
  const report = {
    ...evaluateBenchmark(library, { kind: "host", name: "a" }, facts, choice),
    collectedAt: 0,
    durationMs: 0,
  };
  const applies = Object.fromEntries(report.sets.map(({ id, applies: about }) => [id, about]));
  assert.equal(applies["cis-debian-12"], true);
  assert.equal(applies["cis-ubuntu-24.04"], false);
  assert.match(report.sets.find(({ id }) => id === "cis-ubuntu-24.04")?.reason ?? "", /Debian GNU\/Linux 12/);
  const summary = summarize(library, report).find(({ set }) => set.id === "cis-debian-12");
  assert.ok(summary && summary.items.length > 240, String(summary?.items.length));
  const numbers = summary.items.map(({ number }) => number);
  assert.ok(
    numbers.indexOf("1.1.1.9") < numbers.indexOf("3.3.9") && numbers.indexOf("3.3.9") < numbers.indexOf("3.3.10"),
  );
});

test("what a host's /proc would say is unknown where it is not seen, never a pass and never a failure", (context) => {
  const results = judge(hostOf(context, debian), "cis-debian-12", "kernel");
  for (const check of [
    "sysctl-aslr",
    "mount-tmp",
    "kernel-config-seccomp",
    "kernel-cgroup-v2",
    "kernel-mitigations-on",
  ]) {
    assert.equal(results.get(check)?.state, "unknown", `${check}: ${results.get(check)?.reason}`);
  }
});

test("accounts, packages and modes are read as the system would", (context) => {
  const root = hostOf(context, debian);
  chmodSync(join(root, "etc/shadow"), 0o644);
  const results = judge(root, "cis-debian-12");
  const states = (name: string): string => `${results.get(name)?.state}: ${results.get(name)?.reason}`;
  assert.match(states("account-no-empty-password"), /^fail: eve/);
  assert.match(states("file-shadow"), /^fail: .*644/);
  assert.match(states("file-passwd"), /^pass/);
  assert.match(states("package-telnet-absent"), /^pass/, "removed with its settings kept is not installed");
  assert.match(states("package-sudo"), /^pass/);
});

test("sshd: the first value holds, files are included, what is below Match is for some only", (context) => {
  const root = hostOf(context, {
    ...debian,
    "etc/ssh/sshd_config":
      "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nUsePAM yes\nMatch User eve\nMaxAuthTries 2\n",
    "etc/ssh/sshd_config.d/a.conf": "PermitRootLogin no\nCiphers -chacha20-poly1305@openssh.com\n",
  });
  const results = judge(root, "cis-debian-12");
  assert.equal(results.get("sshd-root")?.state, "pass");
  assert.equal(results.get("sshd-ciphers")?.state, "pass");
  assert.equal(results.get("sshd-pam")?.state, "pass");
  assert.equal(results.get("sshd-tries")?.state, "fail");
});

test("sshd: words, quotes and comments as sshd reads them", (context) => {
  const root = hostOf(context, {
    ...debian,
    "etc/ssh/sshd_config":
      "PermitRootLogin=no\nUsePAM yes # for locks\nBanner \"/etc/My Banner\"\nLogLevel 'verbose'\n#MaxSessions 2\n",
  });
  const facts = collectHost({ root, needs: needsOf([]) });
  const { settings } = facts.values["ssh"] as { settings: Record<string, string> };
  assert.equal(settings["permitrootlogin"], "no");
  assert.equal(settings["usepam"], "yes");
  assert.equal(settings["banner"], "/etc/My Banner");
  assert.equal(settings["loglevel"], "verbose");
  assert.equal(settings["maxsessions"], "10");
});

test("the audit: watches and rules of files and calls are one thing, in any order that auditctl takes", (context) => {
  const installed = ["auditd", "audispd-plugins"].map(
    (name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n`,
  );
  const both = (rule: string): string => ["b64", "b32"].map((arch) => rule.replace("ARCH", arch)).join("\n");
  const root = hostOf(context, {
    ...debian,
    "var/lib/dpkg/status": installed.join("\n"),
    "etc/audit/rules.d/a.rules": [
      "-w /var/run/utmp -p wa",
      "-a exit,always -F path=/var/log/wtmp -F perm=aw -F key=s",
      "-w /var/log/btmp",
      "-w /etc/sudoers -p r",
      "-a never,exit -F arch=b64 -S mount",
      "-a always,exit -F arch=b32 -S mount",
      both("-a always,exit -S unlink -S unlinkat,rename,renameat -F arch=ARCH -F auid>=1000"),
      "-e 2",
    ].join("\n"),
    "etc/audit/rules.d/b.rules": "-e 1\n",
    "etc/audit/auditd.conf": "max_log_file=8\nmax_log_file_action = KEEP_LOGS\n",
  });
  const results = judge(root, "cis-debian-12");
  const said = (name: string): string => `${results.get(name)?.state}: ${results.get(name)?.reason}`;
  assert.match(said("audit-rule-session"), /^pass/);
  assert.match(said("audit-rule-deletion"), /^pass/);
  assert.match(said("audit-rule-sudoers"), /^fail: .*sudoers, .*sudoers\.d/, "reading is not writing");
  assert.match(said("audit-rule-mounts"), /^fail: .*mount of b64/, "a rule that keeps silent writes nothing down");
  assert.match(said("audit-rule-immutable"), /^fail: .* is 1/, "the last one holds");
  assert.match(said("auditd-log-size"), /^fail/, "auditd does not read a name and a value without spaces");
  assert.match(said("auditd-keep-logs"), /^pass/);
});

test("the audit: every program that runs with its owner's rights wants a rule", (context) => {
  const root = hostOf(context, {
    ...debian,
    bin: "->usr/bin",
    "usr/bin/su": "",
    "usr/lib/ssh/keysign": "",
    "usr/bin/su.real": "->su",
    "var/lib/dpkg/status": "Package: auditd\nStatus: install ok installed\nVersion: 1\n",
    "etc/audit/rules.d/a.rules": "-a always,exit -F path=/usr/bin/su -F perm=x -k privileged\n",
  });
  chmodSync(join(root, "usr/bin/su"), 0o4755);
  chmodSync(join(root, "usr/lib/ssh/keysign"), 0o2755);
  const reason = judge(root, "cis-debian-12").get("audit-rule-privileged")?.reason;
  assert.equal(reason, "no rule in /etc/audit/rules.d for /usr/lib/ssh/keysign");
});

test("the firewall: nftables in blocks, in lines and by include, with sets in rules; iptables by what is saved", (context) => {
  const root = hostOf(context, {
    ...debian,
    "etc/nftables.conf": `#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  set allowed { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }
  chain input {
    type filter hook input priority 0; policy drop; # nobody
    iif "lo" accept
    tcp dport { 22, 80 } accept
    ip saddr 127.0.0.0/8 counter drop
  }
  chain helper { ip saddr @allowed accept }
}
include "/etc/nftables.d/*.nft"
`,
    "etc/nftables.d/a.nft":
      'add table inet more\nadd chain inet more out { type filter hook output priority 0 ; policy accept ; }\nadd rule inet more out oif lo accept\ninclude "/etc/nftables.conf"\n',
    "etc/iptables/rules.v4":
      "*nat\n:INPUT ACCEPT [0:0]\n*filter\n:INPUT DROP [1:2]\n:FORWARD DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n",
  });
  const { nftables, iptables } = collectHost({ root, needs: needsOf([]) }).values;
  assert.deepEqual(nftables, {
    chains: [
      {
        ...{ table: "inet filter", name: "input", hook: "input", policy: "drop" },
        rules: ["iif lo accept", "tcp dport accept", "ip saddr 127.0.0.0/8 counter drop"],
      },
      { table: "inet filter", name: "helper", hook: "", policy: "", rules: ["ip saddr @allowed accept"] },
      { table: "inet more", name: "out", hook: "output", policy: "accept", rules: ["oif lo accept"] },
    ],
  });
  assert.deepEqual(iptables, {
    v4: { policies: { INPUT: "DROP", FORWARD: "DROP" }, rules: ["-A INPUT -i lo -j ACCEPT"] },
    v6: { policies: {}, rules: [] },
  });
});

test("units: masked, wanted, and with drop-ins", (context) => {
  const root = hostOf(context, {
    ...debian,
    "run/systemd/system/.keep": "",
    "var/lib/dpkg/status":
      "Package: cups\nStatus: install ok installed\nVersion: 2\n\nPackage: nginx\nStatus: install ok installed\nVersion: 1\n",
    "etc/systemd/system/cups.service": "->/dev/null",
    "etc/systemd/system/cups.socket": "->/dev/null",
    "usr/lib/systemd/system/nginx.service": "[Install]\nWantedBy=multi-user.target\n",
    "etc/systemd/system/multi-user.target.wants/nginx.service": "->/usr/lib/systemd/system/nginx.service",
  });
  const results = judge(root, "cis-debian-12");
  assert.equal(results.get("service-web-server")?.state, "fail");
  // Whether a process of it runs is not seen in a folder.
  assert.equal(results.get("service-print-server")?.state, "unknown");
});

test("sysctl.d: a later file wins, one in /etc stands for its namesake", (context) => {
  const root = hostOf(context, {
    ...debian,
    "proc/1/stat": "1",
    "proc/sys/kernel/randomize_va_space": "2\n",
    "usr/lib/sysctl.d/50-default.conf": "kernel.randomize_va_space = 0\n",
    "etc/sysctl.d/50-default.conf": "# empty\n",
    "etc/sysctl.d/90-own.conf": "kernel/randomize_va_space = 2\n",
  });
  assert.equal(judge(root, "cis-debian-12").get("sysctl-aslr")?.state, "pass");
});

test("broken settings are unknown with their place, and the rest is judged", (context) => {
  const root = hostOf(context, {
    ...debian,
    "proc/1/stat": "1",
    "proc/42/cmdline": "/usr/bin/dockerd\0--icc=false\0",
    "proc/42/status": "Uid:\t0\t0\t0\t0\n",
    "proc/42/cgroup": "0::/system.slice/docker.service\n",
    "etc/docker/daemon.json": "{ broken",
  });
  const results = judge(root, "cis-docker");
  assert.equal(results.get("docker-icc")?.state, "unknown");
  assert.match(results.get("docker-icc")?.reason ?? "", /daemon\.json/);
  assert.match(results.get("docker-group")?.reason ?? "", /eve/);
});

test("the kubelet goes by its file with flags over it, and without a file by weaker defaults", (context) => {
  const kubelet = (words: string, config?: string): Map<string, CheckResult> =>
    judge(
      hostOf(context, {
        ...debian,
        "proc/1/stat": "1",
        "proc/7/cmdline": `/usr/bin/kubelet\0${words}`,
        "proc/7/status": "Uid:\t0\t0\t0\t0\n",
        ...(config === undefined ? {} : { "var/lib/kubelet/config.yaml": config }),
      }),
      "cis-kubernetes-node",
    );
  const file =
    "authentication: { anonymous: { enabled: false } }\nauthorization: { mode: Webhook }\nseccompDefault: true\n";
  const good = kubelet("--config=/var/lib/kubelet/config.yaml\0--pod-max-pids\u0000100\0", file);
  const states = ["anonymous-auth", "authorization", "seccomp-default", "pod-pids", "read-only-port"];
  assert.deepEqual(
    states.map((name) => good.get(`k8s-kubelet-${name}`)?.state),
    states.map(() => "pass"),
  );
  const over = kubelet("--config=/var/lib/kubelet/config.yaml\0--anonymous-auth=true\0", file);
  assert.equal(over.get("k8s-kubelet-anonymous-auth")?.state, "fail");
  const bare = kubelet("--v=2\0");
  for (const name of ["anonymous-auth", "authorization", "read-only-port"]) {
    assert.equal(bare.get(`k8s-kubelet-${name}`)?.state, "fail", name);
  }
  assert.equal(bare.get("k8s-apiserver-anonymous-auth")?.state, "not-applicable");
  const broken = kubelet("--config=/var/lib/kubelet/config.yaml\0", "a: [");
  assert.equal(broken.get("k8s-kubelet-anonymous-auth")?.state, "unknown");
});

test("k3s: parts inside its process have its defaults, and what it was told", (context) => {
  const root = hostOf(context, {
    ...debian,
    "proc/1/stat": "1",
    "proc/9/cmdline": "/usr/local/bin/k3s\0server\0",
    "proc/9/status": "Uid:\t0\t0\t0\t0\n",
    "etc/rancher/k3s/config.yaml": "kube-apiserver-arg:\n  - audit-log-path=/var/log/audit.log\n  - profiling=true\n",
  });
  const results = judge(root, "cis-kubernetes-node");
  const state = (name: string): string | undefined => results.get(name)?.state;
  assert.equal(state("k8s-apiserver-rbac"), "pass");
  assert.equal(state("k8s-apiserver-audit-log"), "pass");
  assert.equal(state("k8s-apiserver-profiling"), "fail");
  assert.equal(state("k8s-etcd-client-auth"), "not-applicable");
});

test("no set of files breaks it", (context) => {
  const noise = '\0\uFFFF:::=\n[x\n"\\\n# \n';
  const paths = [
    "etc/passwd",
    "etc/shadow",
    "etc/group",
    "etc/ssh/sshd_config",
    "etc/sudoers",
    "etc/pam.d/common-auth",
    "etc/login.defs",
    "var/lib/dpkg/status",
    "etc/docker/daemon.json",
    "etc/containerd/config.toml",
    "etc/crio/crio.conf",
    "proc/1/stat",
    "proc/1/mounts",
    "proc/cmdline",
    "proc/config.gz",
    "proc/modules",
    "etc/sysctl.conf",
    "etc/audit/rules.d/a.rules",
    "etc/nftables.conf",
    "etc/iptables/rules.v4",
    "etc/ufw/ufw.conf",
  ];
  const root = hostOf(context, Object.fromEntries(paths.map((path) => [path, noise])));
  const results = [...judge(root).values()];
  assert.ok(results.length > 0);
  assert.ok(results.every(({ reason }) => !/TypeError|undefined is not/.test(reason)));
});

test("long and hostile rules take no longer than their length, and are said to be too much where they are", (context) => {
  const root = hostOf(context, {
    ...debian,
    "etc/nftables.conf": `table inet a { chain b { ${"tcp dport { 22 } ".repeat(20_000)}`,
    "etc/audit/rules.d/a.rules": `-a always,exit ${"-S chmod ".repeat(20_000)}\n${"-w ".repeat(20_000)}`,
    "etc/ssh/sshd_config": `AllowUsers ${`"'`.repeat(20_000)}\n`,
  });
  assert.equal(judge(root, "cis-debian-12").get("audit-rule-permissions")?.state, "not-applicable");
  writeFileSync(join(root, "etc/nftables.conf"), 'include "/etc/nft/*"\n');
  mkdirSync(join(root, "etc/nft"));
  for (let n = 0; n < 300; n++) writeFileSync(join(root, `etc/nft/${n}`), 'include "/etc/nftables.conf"\n');
  const { missing } = collectHost({ root, needs: needsOf([]) });
  assert.match(missing?.["nftables"] ?? "", /includes too much/);
});
