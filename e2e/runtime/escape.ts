import type { Technique } from "./technique.ts";

/**
 * Done in a cgroup hierarchy of its own, at `$at`, with a cgroup `out-HOST`. Nothing is left of it: one that is unmounted
 * while a cgroup of it is still being removed stays, until it is mounted and unmounted again.
 */
function inHierarchy(name: string, script: string): string {
  const mount = `mount -t cgroup -o none,name=${name} x $at`;
  return `at=/tmp/${name}; mkdir $at; ${mount} && usleep 300000; mkdir $at/out-HOST
    ${script}
    rmdir $at/out-HOST
    for i in $(seq 20); do umount $at; usleep 100000; grep -q name=${name}: /proc/self/cgroup || break; ${mount}; done`;
}

/** Ways out of a container. */
export const escapes: Technique[] = [
  {
    what: "a disk of the host that is mounted",
    in: "privileged",
    script: "mount -t ext4 /dev/no-such-disk /mnt",
    alerts: { "host-file-system": { source: "/dev/no-such-disk", type: "ext4", answer: "granted" } },
    rules: ["host-device-mounted-in-a-container"],
  },
  {
    what: "a cgroup hierarchy that is mounted, refused",
    in: "plain",
    script: "mount -t cgroup x /mnt",
    alerts: { "host-file-system": { type: "cgroup", answer: "refused" } },
    rules: ["cgroup-file-system-mounted-in-a-container"],
  },
  {
    what: "debugfs",
    in: "privileged",
    script: "mount -t debugfs x /mnt && umount /mnt",
    alerts: { "host-file-system": { type: "debugfs", answer: "granted" } },
    rules: ["kernel-file-system-mounted-in-a-container"],
  },
  {
    what: "a file system by the new calls, refused",
    in: "plain",
    script: "deeds do file-system",
    alerts: { "host-file-system": { call: "fsopen", type: "ext4" } },
    rules: ["new-mount-interface-used-in-a-container"],
  },
  {
    what: "release_agent, all the way: the host starts a program",
    in: "privileged",
    script: inHierarchy(
      "bulwark-HOST",
      `echo /bin/true >$at/release_agent; echo 1 >$at/out-HOST/notify_on_release
      sh -c "echo 0 >$at/out-HOST/cgroup.procs"; usleep 500000`,
    ),
    alerts: {
      "release-agent-of-a-cgroup-written": { "fd.name": "/release_agent" },
      "notification-of-an-empty-cgroup-switched-on": { "fd.name": "/notify_on_release" },
    },
    kernel: "/sys/fs/cgroup/unified",
  },
  {
    what: "the program that a release agent is, one of the container's own",
    in: "privileged",
    // As the host sees it. What it writes is told by a file that was there: the overlay keeps in mind what was not.
    script: inHierarchy(
      "bulwark-helper-HOST",
      `upper=$(busybox sed -n 's/.* \\/ \\/ .*upperdir=\\([^,]*\\).*/\\1/p' /proc/self/mountinfo); : >/tmp/ran-HOST
      printf '#!/bin/sh\\necho x >"\${0%%/*}/ran-HOST"\\n' >/tmp/helper-HOST; chmod 755 /tmp/helper-HOST
      echo $upper/tmp/helper-HOST >$at/release_agent; echo 1 >$at/out-HOST/notify_on_release
      sh -c "echo 0 >$at/out-HOST/cgroup.procs"
      for i in $(seq 200); do [ -s /tmp/ran-HOST ] && break; usleep 100000; done`,
    ),
    alerts: { "kernel-helper": { command: "/tmp/helper-HOST /out-HOST" } },
    rules: ["program-started-by-the-kernel"],
    outside: true,
    waits: true,
    kernel: "/sys/fs/cgroup/unified",
  },
  {
    what: "devices that a cgroup is allowed",
    in: "privileged",
    script: `mkdir /tmp/devices && mount -t cgroup -o devices x /tmp/devices && usleep 100000
      at=/tmp/devices$(grep :devices: /proc/self/cgroup | cut -d: -f3); echo 'c 1:3 rwm' >$at/devices.allow; umount /tmp/devices`,
    alerts: { "device-permissions-of-a-cgroup-changed": { "fd.name": "/devices.allow" } },
    kernel: "/sys/fs/cgroup/devices",
  },
  {
    what: "core_pattern, as it was",
    in: "privileged",
    script: "cat /proc/sys/kernel/core_pattern >/tmp/was; cat /tmp/was >/proc/sys/kernel/core_pattern",
    alerts: { "kernel-setting": { setting: "kernel/core_pattern" } },
    rules: ["core-dump-handler-of-the-host-changed"],
  },
  {
    what: "the loader of modules, as it was",
    in: "privileged",
    script: "cat /proc/sys/kernel/poweroff_cmd >/tmp/off; cat /tmp/off >/proc/sys/kernel/poweroff_cmd",
    alerts: { "kernel-setting": { setting: "kernel/poweroff_cmd" } },
    rules: ["module-loader-of-the-host-changed"],
    kernel: "/proc/sys/kernel/poweroff_cmd",
  },
  {
    what: "the helper for kernel events, opened and left as it is",
    in: "privileged",
    script: "exec 3>>/sys/kernel/uevent_helper; exec 3>&-; usleep 300000",
    alerts: { "helper-for-kernel-events-changed": { "fd.name": "/sys/kernel/uevent_helper" } },
    kernel: "/sys/kernel/uevent_helper",
  },
  {
    what: "a program format, wrong and refused",
    in: "privileged",
    script:
      "mkdir /tmp/binfmt_misc && mount -t binfmt_misc x /tmp/binfmt_misc && usleep 100000; echo wrong >/tmp/binfmt_misc/register; umount /tmp/binfmt_misc",
    alerts: {
      "host-file-system": { type: "binfmt_misc" },
      "interpreter-for-a-program-format-registered": { "fd.name": "/tmp/binfmt_misc/register" },
    },
    kernel: "/proc/sys/fs/binfmt_misc",
  },
  {
    what: "a magic key request, opened and not made",
    in: "privileged",
    script: "exec 3>>/proc/sysrq-trigger; exec 3>&-; usleep 300000",
    alerts: { "magic-key-requests-of-the-kernel-used": { "fd.name": "/proc/sysrq-trigger" } },
    kernel: "/proc/sysrq-trigger",
  },
  {
    what: "the root of a process of the host",
    in: "host",
    script: "cat /proc/HOST/root/etc/hostname",
    alerts: { "other-process": { target: "/root/etc/hostname", answer: "refused" } },
    rules: ["file-reached-through-the-root-of-another-process"],
  },
  {
    what: "the root of a process of the host, with its rights",
    in: "node",
    // Asks for no right: what it has is enough.
    script: "cat /proc/HOST/root/etc/shadow",
    alerts: { "file-of-another-mount-namespace-opened": { "fd.name": "(unreachable)/etc/shadow" } },
  },
  {
    what: "namespaces of another process",
    in: "privileged",
    script: "/bin/busybox nsenter -t 1 -m /bin/true",
    alerts: {
      "namespace-entry": { call: "setns", answer: "granted" },
      "program-to-enter-namespaces-executed": { "proc.cmdline": "nsenter -t 1" },
    },
    rules: ["namespace-of-another-process-entered"],
  },
  {
    what: "a folder of the host that the runtime left open (CVE-2024-21626)",
    in: "plain",
    script: "cd /proc/self/fd/3 && /bin/true leaked",
    alerts: { "foreign-root": { directory: "(unreachable)" } },
    rules: ["working-directory-outside-of-the-container"],
    by: { leak: "/" },
  },
  {
    what: "a program of the host by what the runtime left open (CVE-2019-5736)",
    in: "plain",
    script: "/proc/self/fd/3/bin/busybox true",
    alerts: { "foreign-root": { program: "(unreachable)", filename: "/proc/self/fd/3/bin/busybox" } },
    rules: ["program-of-another-mount-namespace-executed"],
    by: { leak: "/" },
  },
  {
    what: "a user namespace",
    in: "plain",
    script: "/bin/busybox unshare -U -m true",
    alerts: { "user-namespace-made-in-a-container": { "evt.args": "CLONE_NEWUSER" } },
  },
  {
    what: "sockets of runtimes",
    in: "plain",
    script: "deeds do unix /var/run/docker.sock; deeds do unix /run/containerd/containerd.sock",
    alerts: { "runtime-socket": { socket: "/var/run/docker.sock" } },
    rules: ["socket-of-a-container-runtime-used"],
  },
  {
    what: "an abstract socket of a shim (CVE-2020-15257)",
    in: "plain",
    script: "deeds do unix @/containerd-shim/x.sock",
    alerts: { "runtime-socket": { socket: "@/containerd-shim/x.sock" } },
  },
  {
    what: "ports of a runtime and of a kubelet",
    in: "plain",
    script: "deeds do tcp 127.0.0.1 2375; deeds do tcp 127.0.0.1 10250",
    alerts: {
      "interface-of-a-container-runtime-contacted": { "evt.type": "connect" },
      "kubelet-contacted-from-a-container": { "evt.type": "connect" },
    },
  },
  {
    what: "the client of a runtime",
    in: "plain",
    script: "/opt/bin/docker ps",
    alerts: { "client-of-a-container-runtime-executed": { "proc.cmdline": "docker ps" } },
  },
  {
    what: "memory of a process of another user",
    in: "privileged",
    script: "deeds do another read",
    alerts: { "other-process": { call: "process_vm_readv", answer: "granted" } },
    rules: ["memory-of-another-process-accessed"],
  },
  {
    what: "another user's process, traced",
    in: "privileged",
    script: "deeds do another trace",
    alerts: { "other-process": { call: "ptrace", answer: "granted" } },
    rules: ["process-traced"],
  },
  {
    what: "the memory of a process through its file (Dirty COW's way)",
    in: "plain",
    script: "deeds do own-memory",
    alerts: { "memory-file-of-a-process-written": { "fd.name": "/mem" } },
  },
  {
    what: "a module, wrong and refused",
    in: "plain",
    script: "deeds do module",
    alerts: { "kernel-tampering": { call: "finit_module", answer: "refused" } },
    rules: ["kernel-module-loaded-from-a-container"],
    kernel: "/proc/modules",
  },
  {
    what: "programs for modules and disks",
    in: "plain",
    script: "/opt/bin/insmod x.ko; /opt/bin/debugfs /dev/sda",
    alerts: {
      "program-for-kernel-modules-executed": { "proc.cmdline": "insmod x.ko" },
      "file-system-debugger-executed": { "proc.cmdline": "debugfs /dev/sda" },
    },
  },
  {
    what: "a file by its number (shocker), refused",
    in: "plain",
    script: "deeds do handle",
    alerts: { "kernel-tampering": { call: "open_by_handle_at", answer: "refused" } },
    rules: ["file-opened-by-its-handle"],
  },
  {
    what: "the runtime, written over",
    in: "plain",
    script: "mkdir -p /tmp/host && echo x >/tmp/host/runc",
    alerts: { "container-runtime-overwritten": { "fd.name": "/tmp/host/runc" } },
  },
  {
    what: "a disk and the memory of the host, by nodes of their own",
    in: "privileged",
    script: "mknod /tmp/disk b 8 0; cat /tmp/disk; mknod /tmp/memory c 1 1; : </tmp/memory",
    alerts: { "host-device": { device: "block 8:0" } },
    rules: [
      "block-device-made-in-a-container",
      "disk-of-the-host-opened-in-a-container",
      "memory-of-the-host-opened-in-a-container",
    ],
  },
  {
    what: "the root of the host where it is mounted",
    in: "privileged",
    script: "chroot /host /bin/true",
    alerts: { "root-changed-to-a-mounted-host": { "evt.args": "path=/host" } },
  },
  {
    what: "read-only parts made writable",
    in: "privileged",
    script: "mount -o remount,rw /proc",
    alerts: { "read-only-part-of-the-container-made-writable": { "evt.args": "/proc" } },
  },
  {
    what: "the start of a container with power over the host",
    in: "privileged",
    script: "true",
    alerts: { "privileged-start": { power: "privileged" } },
    rules: ["privileged-container-started", "container-with-a-sensitive-mount-started"],
    isStart: true,
  },
  {
    what: "the start of a container that sees the host's processes",
    in: "host",
    script: "true",
    alerts: { "privileged-start": { power: "host pid namespace" } },
    rules: ["container-with-the-host-s-processes-started"],
    isStart: true,
  },
];
