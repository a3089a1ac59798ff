import type { Technique } from "./technique.ts";

const written = (path: string, rule: string, more: Partial<Technique> = {}): Technique => ({
  what: path,
  in: "plain",
  script: `echo x >>${path}`,
  alerts: { [rule]: { "fd.name": path } },
  ...more,
});

/** A file that is looked for by the programs of the image is there; one that is made is watched from then on. */
const read = (path: string, rule: string, more: Partial<Technique> = {}): Technique => ({
  what: path,
  in: "plain",
  script: `cat ${path}`,
  alerts: { [rule]: { "fd.name": path } },
  ...more,
});

/** Files that nobody writes while a container runs. */
export const files: Technique[] = [
  written("/etc/cron.d/task", "scheduled-task-changed"),
  written("/etc/systemd/system/x.service", "service-of-systemd-changed"),
  { ...written("/usr/bin/tool", "system-program-changed"), script: "cp /bin/deeds /usr/bin/tool" },
  { ...written("/usr/lib/libx.so.1", "shared-library-changed"), script: "cp /bin/deeds /usr/lib/libx.so.1" },
  written("/etc/passwd", "user-database-changed"),
  written("/root/.ssh/authorized_keys", "ssh-access-changed"),
  written("/etc/ld.so.preload", "library-that-every-program-loads-set"),
  written("/root/.bashrc", "start-file-of-a-shell-changed"),
  written("/etc/pam.d/login", "login-modules-changed"),
  written("/var/www/html/x.php", "web-page-written-by-the-web-server", {
    script: "/opt/bin/nginx run sh -c 'echo x >/var/www/html/x.php'",
  }),
  written("/etc/kubernetes/manifests/x.yaml", "static-pod-written"),
  {
    what: "a log that is removed",
    in: "plain",
    script: "rm /var/log/app.log /var/log/wtmp",
    alerts: {
      "log-removed-or-emptied": { "fs.path.name": "/var/log/app.log" },
      "log-removal": { file: "/var/log/wtmp" },
    },
  },
  {
    what: "logs that are emptied and cut",
    in: "plain",
    script:
      "for i in a messages; do echo 12345678 >/var/log/$i; done; : >/var/log/a; busybox truncate -s 2 /var/log/messages",
    alerts: {
      "log-removed-or-emptied": { "fs.path.name": "/var/log/a" },
      "log-removal": { file: "/var/log/messages" },
    },
  },
  written("/etc/hosts", "name-resolution-changed"),
  written("/etc/ssl/certs/x.pem", "trusted-certificate-put"),
  written("/etc/apt/sources.list", "source-of-packages-changed"),
  written("/dev/hidden", "file-made-below-dev"),
];

/** Secrets that are read. */
export const credentials: Technique[] = [
  read("/etc/shadow", "passwords-of-the-system-read"),
  {
    ...read("/var/run/secrets/kubernetes.io/serviceaccount/token", "service-account-token-read-by-a-tool"),
    in: "host",
    alerts: { "service-account-token-read-by-a-tool": { "fd.name": "/serviceaccount/..2026/token" } },
  },
  read("/root/.aws/credentials", "cloud-credentials-read"),
  read("/root/.ssh/id_rsa", "private-ssh-key-read"),
  read("/root/.docker/config.json", "credentials-of-a-registry-or-cluster-read"),
  read("/root/.bash_history", "history-of-a-shell-read"),
  read("/root/.netrc", "passwords-of-tools-read"),
  read("/var/lib/etcd/member", "store-of-the-cluster-read", { in: "host" }),
  {
    what: "a search for keys",
    in: "plain",
    script: "/bin/grep -r 'BEGIN RSA' /root",
    alerts: { "search-for-credentials": { "proc.cmdline": "BEGIN RSA" } },
  },
];
