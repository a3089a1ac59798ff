import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { FileTree } from "./image.ts";
import { openRootfs } from "./rootfs.ts";

/** File systems that are on disks of this machine. What else is mounted is of the kernel, of the network or of a container. */
const onDisk = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "jfs", "reiserfs", "vfat"]);
/** Images and containers have scans of their own. */
const ofContainers = [
  "/var/lib/containerd",
  "/var/lib/containers/storage",
  "/var/lib/docker",
  "/var/lib/kubelet/pods",
  "/var/lib/rancher/k3s/agent/containerd",
  "/run",
];

/** The file system of this machine, without what is mounted from elsewhere and without its containers. */
export async function openHost(): Promise<FileTree> {
  const mounted = mountedFromElsewhere(readFileSync("/proc/self/mountinfo", "utf8"));
  return openRootfs("/", hostname(), [...ofContainers, ...mounted]);
}

/** proc_pid_mountinfo(5): the fifth field is where, and the first after the dash is which kind. */
function mountedFromElsewhere(mounts: string): string[] {
  return mounts.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const place = (before.split(" ")[4] ?? "").replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    return place === "" || place === "/" || onDisk.has(after.split(" ")[0] ?? "") ? [] : [place];
  });
}
