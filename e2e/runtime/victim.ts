import { existsSync, linkSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRootfs, run } from "@bulwark/testkit";

/** Programs of attackers and of others, by name; all of them are one that does nothing (deeds.c). */
const names = [
  ...["apt-get", "chattr", "chisel", "chmod", "crackmapexec", "curl", "debugfs", "deepce", "docker", "gcc", "hydra"],
  ...[
    "insmod",
    "iodine",
    "iptables",
    "java",
    "nginx",
    "nmap",
    "redis-server",
    "setenforce",
    "shred",
    "socat",
    "ssh",
    "sudo",
  ],
  ...["tcpdump", "useradd", "xmrig"],
];
const applets = ["chroot", "date", "ln", "mknod", "nsenter", "telnet", "umount", "unshare", "usleep", "grep", "base64"];
/** What is read of, or written to, by somebody who has no business there. */
const files = [
  ...["etc/shadow", "etc/hosts", "root/.aws/credentials", "root/.ssh/id_rsa", "root/.docker/config.json"],
  ...["root/.bash_history", "root/.netrc", "var/log/wtmp", "var/log/app.log", "var/lib/etcd/member", "etc/passwd"],
];
const folders = [
  ...["etc/cron.d", "etc/systemd/system", "etc/pam.d", "etc/ssl/certs", "etc/apt", "etc/kubernetes/manifests"],
  ...["usr/bin", "usr/lib", "var/www/html", "host", "mnt", "opt/bin", "var/run/secrets/kubernetes.io/serviceaccount"],
];

/** The image of the containers that are attacked: busybox, `/opt/bin` with those names, and files worth a look. */
export function makeVictim(folder: string): string {
  mkdirSync(folder);
  makeRootfs(folder);
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  for (const name of files) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), "root:x:0:0:root:/:/bin/sh\n");
  }
  for (const name of applets)
    if (!existsSync(join(folder, "bin", name))) symlinkSync("busybox", join(folder, "bin", name));
  const deeds = join(folder, "bin/deeds");
  run("clang", ["-static", "-O1", "-Wall", "-Wno-unused-result", "-o", deeds, join(import.meta.dirname, "deeds.c")]);
  for (const name of names) linkSync(deeds, join(folder, "opt/bin", name));
  return folder;
}

export interface Mount {
  source: string;
  target: string;
  readOnly?: boolean;
}

/** What a pod finds of its service account and, on a node of the control plane, of the store; made in `folder`. */
export function clusterMounts(folder: string): Mount[] {
  const token = mkdtempSync(join(folder, "token-"));
  // As the kubelet puts it.
  mkdirSync(join(token, "..2026"));
  writeFileSync(join(token, "..2026/token"), "x");
  symlinkSync("..2026", join(token, "..data"));
  symlinkSync("..data/token", join(token, "token"));
  const store = mkdtempSync(join(folder, "store-"));
  writeFileSync(join(store, "member"), "x");
  return [
    { source: token, target: "/var/run/secrets/kubernetes.io/serviceaccount" },
    { source: store, target: "/var/lib/etcd" },
  ];
}

/** Of a privileged container: what it should not be given. */
export const hostMounts: Mount[] = [{ source: "/etc", target: "/host-etc", readOnly: true }];

/** The programs of this machine in a container that has an image: bash, python, perl, and Node. */
export function toolMounts(): Mount[] {
  const folders = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives", "/etc/ssl"];
  return [
    ...folders
      .filter((path) => existsSync(path))
      .map((path) => ({ source: realpathSync(path), target: path, readOnly: true })),
    { source: process.execPath, target: "/opt/node", readOnly: true },
  ];
}
