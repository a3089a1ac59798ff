import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Commands that a test container has: all are one static busybox. */
const applets = [
  "sh",
  "sleep",
  "cat",
  "echo",
  "nc",
  "cp",
  "chmod",
  "ls",
  "id",
  "true",
  "ip",
  "ifconfig",
  "mkfifo",
  "touch",
  "mkdir",
  "mount",
  "wget",
  "kill",
  "ps",
  "awk",
  "seq",
  "dd",
  "rm",
  "mv",
  "tar",
  "grep",
];

/** A small root file system in `folder`: busybox, its links, and a distribution that says what it is. Needs `busybox`. */
export function makeRootfs(folder: string): void {
  for (const name of ["bin", "etc", "proc", "sys", "dev", "tmp", "lib/apk/db"])
    mkdirSync(join(folder, name), { recursive: true });
  copyFileSync("/bin/busybox", join(folder, "bin/busybox"));
  for (const applet of applets) symlinkSync("busybox", join(folder, "bin", applet));
  writeFileSync(join(folder, "etc/os-release"), 'ID=alpine\nVERSION_ID=3.10.2\nPRETTY_NAME="Alpine Linux v3.10"\n');
  writeFileSync(join(folder, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  writeFileSync(join(folder, "lib/apk/db/installed"), apkInstalled);
}

/** As apk writes it; busybox 1.30.1-r1 of Alpine 3.10 has a known weakness in Alpine's own list. */
const apkInstalled = `C:Q1ofkP0BeTvYCTCbqKmEYeeYnSZdI=
P:busybox
V:1.30.1-r1
A:x86_64
S:507831
I:962560
T:Size optimized toolbox of many common UNIX utilities
U:https://busybox.net/
L:GPL-2.0
o:busybox
m:Natanael Copa <ncopa@alpinelinux.org>
t:1560863269

C:Q1zHnMgZMaiJDoRSnpxLxNAUAbU6g=
P:musl
V:1.1.22-r3
A:x86_64
S:368310
I:598016
T:the musl c library (libc) implementation
U:http://www.musl-libc.org/
L:MIT
o:musl
m:Timo Teräs <timo.teras@iki.fi>
t:1565161203

`;
