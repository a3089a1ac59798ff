/** Hosts for `check-peer.test.ts`: each thing that both scanners look at as it should be, as it should not, and oddly written. */
import { globSync, statSync } from "node:fs";
import { release } from "node:os";
import { gzipSync } from "node:zlib";
import type { MadeFile, MadeHost } from "./made-host.ts";

type Files = Readonly<Record<string, MadeFile>>;

const secret = (text: string): MadeFile => ({ text, mode: 0o640, gid: 42 });
const lines = (...all: string[]): string => `${all.join("\n")}\n`;
const installed = (...names: string[]): string =>
  names
    .map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n`)
    .join("\n");
const base = ["cron", "libpam-modules", "libpam-runtime", "login", "passwd", "systemd"];

const people = "-F auid>=1000 -F auid!=unset";
const ofBoth = (...calls: string[]): string[] =>
  calls.flatMap((call) => ["b64", "b32"].map((arch) => `-a always,exit -F arch=${arch} ${call}`));
const watch = (key: string, ...paths: string[]): string[] => paths.map((path) => `-w ${path} -p wa -k ${key}`);
const refused = "-S creat,open,openat,open_by_handle_at,truncate,ftruncate";
/** Programs that the host borrows from this machine have to be in its rules, too. */
const setuid = globSync(["/usr/lib/*-linux-gnu/*", "/usr/lib/*-linux-gnu/*/*"]).filter((path) => {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && (stats.mode & 0o6000) !== 0;
});
const audited = lines(
  ...watch("scope", "/etc/sudoers", "/etc/sudoers.d/"),
  ...watch("time-change", "/etc/localtime"),
  ...ofBoth("-S adjtimex,settimeofday -k time-change", "-S clock_settime -F a0=0x0 -k time-change"),
  ...ofBoth("-S sethostname,setdomainname -k system-locale"),
  ...watch("system-locale", "/etc/issue", "/etc/issue.net", "/etc/hosts", "/etc/networks", "/etc/network/"),
  ...watch("system-locale", "/etc/sysconfig/network"),
  ...ofBoth(`${refused} -F exit=-EACCES ${people} -k access`, `${refused} -F exit=-EPERM ${people} -k access`),
  ...watch("identity", "/etc/group", "/etc/passwd", "/etc/gshadow", "/etc/shadow", "/etc/security/opasswd"),
  ...watch("identity", "/etc/nsswitch.conf", "/etc/pam.conf", "/etc/pam.d"),
  ...ofBoth(`-S chmod,fchmod,fchmodat ${people} -k perm_mod`, `-S chown,fchown,lchown,fchownat ${people} -k perm_mod`),
  ...ofBoth(`-S setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr ${people} -k perm_mod`),
  ...ofBoth(`-S mount ${people} -k mounts`),
  ...watch("session", "/var/run/utmp", "/var/log/wtmp", "/var/log/btmp"),
  ...watch("logins", "/var/log/lastlog", "/var/run/faillock"),
  ...ofBoth(`-S rename,renameat,unlink,unlinkat ${people} -k delete`),
  ...ofBoth(`-S init_module,finit_module,delete_module ${people} -k kernel_modules`),
  `-a always,exit -F path=/usr/bin/kmod -F perm=x ${people} -k kernel_modules`,
  ...["/usr/bin/sudo", ...setuid].map((path) => `-a always,exit -F path=${path} ${people} -k privileged`),
  "-e 2",
);
const auditUnit = lines("[Service]", "ExecStart=/sbin/auditd", "ExecStartPost=-/sbin/augenrules --load");
const auditd = {
  good: ["max_log_file = 8", "max_log_file_action = keep_logs", "disk_full_action = halt", "disk_error_action = halt"],
  bad: ["max_log_file_action = ROTATE", "disk_full_action = SUSPEND", "disk_error_action = SUSPEND"],
  log: ["log_file = /var/log/audit/audit.log", "log_group = root"],
};

const options = ["MODULE_SIG", "PAGE_TABLE_ISOLATION", "RANDOMIZE_BASE", "SECCOMP_FILTER", "SECURITY"];
const without = ["KEXEC", "PROC_KCORE", "DEVKMEM", "X86_VSYSCALL_EMULATION", "LEGACY_VSYSCALL_EMULATE"];
function kernel(on: readonly string[], off: readonly string[]): Files {
  const text = lines(...on.map((name) => `CONFIG_${name}=y`), ...off.map((name) => `# CONFIG_${name} is not set`));
  return { [`/boot/config-${release()}`]: text, "/proc/config.gz": { text: gzipSync(text) } };
}
const parameters = {
  "fs/suid_dumpable": "0",
  "fs/protected_hardlinks": "1",
  "fs/protected_symlinks": "1",
  "kernel/randomize_va_space": "2",
  "kernel/kptr_restrict": "2",
};
const sysctl = (values: Readonly<Record<string, string>>): Files => ({
  ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`/proc/sys/${name}`, `${value}\n`])),
  "/etc/sysctl.d/a.conf": lines(
    ...Object.entries(values).map(([name, value]) => `${name.replace("/", ".")} = ${value}`),
  ),
});

const debian: Files = {
  "/etc/debian_version": "12.11\n",
  "/etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  "/etc/mtab": { link: "../proc/self/mounts" },
  "/etc/group": lines("root:x:0:", "shadow:x:42:", "www-data:x:33:", "eve:x:1000:"),
  "/etc/group-": "root:x:0:\n",
  "/etc/passwd": lines(
    "root:x:0:0:root:/root:/bin/bash",
    "www-data:x:33:33:www:/var/www:/usr/sbin/nologin",
    "eve:x:1000:1000::/home/eve:/bin/bash",
  ),
  "/etc/passwd-": "root:x:0:0:root:/root:/bin/bash\n",
  "/etc/shadow": secret(
    lines("root:!:19000:0:99999:7:::", "www-data:*:19000::::::", "eve:$y$j9T$a$b:19000:0:365:7:::"),
  ),
  "/etc/shadow-": secret("root:!:19000:0:99999:7:::\n"),
  "/etc/gshadow": secret("root:*::\n"),
  "/etc/gshadow-": secret("root:*::\n"),
  "/etc/shells": lines("/bin/sh", "/bin/bash"),
  "/etc/login.defs": lines("PASS_MAX_DAYS\t365", "PASS_WARN_AGE 7", "UMASK 027"),
  "/etc/profile": "umask 027\n",
  "/etc/bash.bashrc": "umask 027\n",
  "/root/": { mode: 0o700 },
  "/home/eve/": { mode: 0o700, uid: 1000, gid: 1000 },
  "/var/lib/dpkg/status": installed(...base),
  "/etc/systemd/coredump.conf": lines("[Coredump]", "Storage=none", "ProcessSizeMax=0"),
  "/etc/security/limits.conf": "* hard core 0\n",
  [`/usr/lib/modules/${release()}/modules.dep`]: lines("kernel/net/rds/rds.ko:", "kernel/net/tipc/tipc.ko:"),
  [`/usr/lib/modules/${release()}/modules.builtin`]: "",
  "/etc/modprobe.d/a.conf": lines(
    "install rds /bin/false",
    "blacklist rds",
    "install tipc /bin/false",
    "blacklist tipc",
  ),
  ...kernel(options, without),
  ...sysctl(parameters),
};

/** Nothing is installed that could be set up. */
export const bare: MadeHost = { files: debian, mounts: {} };

const full: Files = {
  ...debian,
  "/var/lib/dpkg/status": installed(
    ...base,
    ...["aide", "aide-common", "audispd-plugins", "auditd", "chrony", "openssh-server", "rsyslog", "sudo"],
  ),
  "/usr/bin/sudo": { mode: 0o4755 },
  "/usr/sbin/sshd": { mode: 0o755 },
  "/etc/sudoers.d/": { mode: 0o750 },
  "/usr/lib/systemd/system/auditd.service": auditUnit,
  "/usr/lib/systemd/system/chrony.service": lines("[Service]", "ExecStart=/usr/sbin/chronyd"),
  "/etc/systemd/system/multi-user.target.wants/chrony.service": { link: "/usr/lib/systemd/system/chrony.service" },
};

export const sound: MadeHost = {
  files: {
    ...full,
    "/etc/sudoers": {
      text: lines("Defaults use_pty", "Defaults logfile=/var/log/sudo.log", "root ALL=(ALL:ALL) ALL"),
      mode: 0o440,
    },
    "/etc/ssh/sshd_config": {
      text: lines(
        ...["PermitRootLogin no", "PermitEmptyPasswords no", "PermitUserEnvironment no", "UsePAM yes"],
        ...["HostbasedAuthentication no", "IgnoreRhosts yes", "GSSAPIAuthentication no", "Banner /etc/issue.net"],
        ...["ClientAliveInterval 15", "ClientAliveCountMax 3", "LoginGraceTime 60", "LogLevel VERBOSE"],
        ...["MaxAuthTries 4", "MaxSessions 10", "MaxStartups 10:30:60"],
      ),
      mode: 0o600,
    },
    "/etc/ssh/ssh_host_ed25519_key": { mode: 0o600 },
    "/etc/ssh/ssh_host_ed25519_key.pub": { mode: 0o644 },
    "/etc/audit/auditd.conf": {
      text: lines(...auditd.log, ...auditd.good, "space_left_action = email", "admin_space_left_action = single"),
      mode: 0o640,
    },
    "/etc/audit/rules.d/a.rules": { text: audited, mode: 0o640 },
    "/var/log/audit/": { mode: 0o700 },
    "/var/log/audit/audit.log": { mode: 0o600 },
    "/etc/chrony/chrony.conf": "pool time.example.com iburst\n",
  },
  mounts: {
    "/home": "rw",
    "/tmp": "rw",
    "/var": "rw",
    "/var/log": "rw",
    "/var/log/audit": "rw",
    "/dev/shm": "nosuid,nodev",
  },
};

export const broken: MadeHost = {
  files: {
    ...full,
    ...kernel(without, options),
    ...sysctl({ "fs/suid_dumpable": "2", "kernel/randomize_va_space": "0", "kernel/kptr_restrict": "0" }),
    "/proc/sys/fs/protected_hardlinks": "0\n",
    "/proc/sys/fs/protected_symlinks": "0\n",
    "/var/lib/dpkg/status": installed(...base, "audispd-plugins", "auditd", "chrony", "nis", "openssh-server", "sudo"),
    "/etc/passwd": {
      text: lines(
        "root:x:0:0:root:/root:/bin/bash",
        "toor:x:0:0:root:/root:/bin/bash",
        "www-data:x:33:77:www:/var/www:/usr/sbin/nologin",
        "eve:x:1000:1000::/home/eve:/bin/bash",
        "eve:$y$j9T$a:1001:1000::/home/eve:/bin/bash",
      ),
      mode: 0o666,
    },
    "/etc/passwd-": { uid: 1000 },
    "/etc/group": { text: lines("root:x:0:", "shadow:x:42:", "eve:x:1000:"), mode: 0o664 },
    "/etc/group-": { mode: 0o777 },
    "/etc/shadow": { text: lines("root:!:19000::::::", "www-data::19000::::::"), mode: 0o644, gid: 42 },
    "/etc/shadow-": { mode: 0o640, gid: 1000 },
    "/etc/gshadow": { mode: 0o640, uid: 1000, gid: 42 },
    "/etc/gshadow-": { mode: 0o604 },
    "/etc/login.defs": lines("PASS_MAX_DAYS\t99999", "PASS_WARN_AGE 3", "UMASK 022"),
    "/etc/profile": "umask 022\n",
    "/etc/bash.bashrc": "",
    "/etc/sudoers": {
      text: lines("Defaults env_reset", "Defaults !authenticate", "eve ALL=(ALL) NOPASSWD: ALL"),
      mode: 0o440,
    },
    "/home/eve/": { mode: 0o755, uid: 1000, gid: 1000 },
    "/home/eve/.netrc": { uid: 1000, gid: 1000 },
    "/home/eve/.rhosts": { mode: 0o600, uid: 1000, gid: 1000 },
    "/etc/ssh/sshd_config": {
      text: lines(
        ...["PermitRootLogin yes", "PermitEmptyPasswords yes", "PermitUserEnvironment yes", "UsePAM no"],
        ...["HostbasedAuthentication yes", "IgnoreRhosts no", "GSSAPIAuthentication yes"],
        ...["ClientAliveInterval 0", "ClientAliveCountMax 0", "LoginGraceTime 120", "LogLevel QUIET"],
        ...["MaxAuthTries 6", "MaxSessions 20", "MaxStartups 20:30:200"],
      ),
    },
    "/etc/ssh/ssh_host_ed25519_key": { mode: 0o644 },
    "/etc/ssh/ssh_host_ed25519_key.pub": { mode: 0o666 },
    "/etc/audit/auditd.conf": {
      text: lines(...auditd.log, ...auditd.bad, "space_left_action = SYSLOG", "admin_space_left_action = SUSPEND"),
      mode: 0o640,
      uid: 1000,
      gid: 1000,
    },
    // One of each kind: not enough for any.
    "/etc/audit/rules.d/a.rules": {
      text: lines(
        "-w /etc/sudoers -p wa -k scope",
        "-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time-change",
        "-a always,exit -F arch=b64 -S chmod,chown,setxattr -k perm_mod",
        "-a always,exit -F arch=b64 -S openat -F exit=-EACCES -k access",
        "-w /etc/passwd -p wa -k identity",
      ),
      mode: 0o640,
    },
    "/var/log/audit/": { mode: 0o755 },
    "/var/log/audit/audit.log": { mode: 0o600, uid: 1000 },
    "/etc/chrony/chrony.conf": "# pool time.example.com iburst\n",
    "/etc/modprobe.d/a.conf": "# install rds /bin/false\n",
    "/etc/systemd/coredump.conf": lines("[Coredump]", "Storage=external"),
    "/etc/security/limits.conf": "",
  },
  mounts: { "/dev/shm": "rw" },
};

/** All is as it should be, and written as few people write it. */
export const odd: MadeHost = {
  files: {
    ...sound.files,
    "/etc/passwd": lines(
      "root:x:00:0:root:/root:/bin/bash",
      "www-data:x:33:33:www:/var/www:/usr/sbin/nologin",
      "eve:x:1000:1000::/home/eve:/bin/bash",
    ),
    "/etc/login.defs": lines(
      "  PASS_MAX_DAYS   90 # in days",
      "#PASS_WARN_AGE 1",
      "PASS_WARN_AGE\t14",
      "umask 077",
      "UMASK\t\t077",
    ),
    "/etc/profile": lines("if true; then", "  umask 077", "fi"),
    "/etc/sudoers": {
      text: lines(
        "Defaults\tenv_reset, use_pty",
        'Defaults logfile="/var/log/sudo.log"',
        "# eve ALL=(ALL) NOPASSWD: ALL",
        "@includedir /etc/sudoers.d",
      ),
      mode: 0o440,
    },
    "/etc/sudoers.d/ops": { text: "%ops ALL = (ALL) ALL\n", mode: 0o440 },
    "/etc/ssh/sshd_config": {
      text: lines(
        "\tpermitrootlogin   no",
        "PermitRootLogin yes",
        "PermitEmptyPasswords=no",
        'PermitUserEnvironment "no"',
        "UsePAM yes # for locks",
        "Include /etc/ssh/sshd_config.d/*.conf",
        "LoginGraceTime 1m",
        "LogLevel INFO",
        "MaxAuthTries 3",
        "MaxSessions 2",
        "MaxStartups 5:30:60",
        "Banner /etc/issue.net",
        "HostbasedAuthentication no",
        "Match User eve",
        "  GSSAPIAuthentication yes",
        "  IgnoreRhosts no",
      ),
      mode: 0o600,
    },
    "/etc/ssh/sshd_config.d/a.conf": { text: lines("GSSAPIAuthentication no", "IgnoreRhosts yes"), mode: 0o600 },
    "/etc/audit/auditd.conf": {
      text: lines(
        ...auditd.log,
        "max_log_file  =  8",
        "max_log_file_action = KEEP_LOGS",
        "disk_full_action = SINGLE",
        "disk_error_action = Syslog",
        "space_left_action = Email",
        "admin_space_left_action = SINGLE",
      ),
      mode: 0o600,
    },
    "/etc/audit/rules.d/a.rules": {
      text: audited
        .replaceAll("-k ", "-F key=")
        .replace(
          "-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat",
          "-a exit,always -S chmod -S fchmod -S fchmodat -F arch=b64",
        )
        .replaceAll("clock_settime -F a0=0x0", "clock_settime")
        .replaceAll("-F auid!=unset -F key=privileged", "-F auid!=unset -F perm=x -F key=privileged"),
      mode: 0o600,
    },
    "/etc/modprobe.d/a.conf": lines(
      "install rds /bin/true",
      "blacklist rds",
      "  install tipc /usr/bin/false",
      "blacklist tipc",
    ),
    "/etc/systemd/coredump.conf": lines("[Coredump]", "#Storage=external", "Storage = none", "ProcessSizeMax=0"),
    "/etc/security/limits.conf": "*\thard\tcore\t0\n",
    "/home/eve/": { mode: 0o750, uid: 1000, gid: 1000 },
    "/etc/shadow": {
      text: lines("root:!*:19000::::::", "www-data:!:19000::::::", "eve:!!$y$j9T$a$b:19000:0:90:7:::"),
      mode: 0o600,
    },
  },
  mounts: sound.mounts,
};
