import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, type RuncOptions } from "@bulwark/testkit";
import { python, type Work } from "./work.ts";

/** Rights of servers that serve as other users than root: of Docker's defaults those that these need. */
const capabilities = [
  ...["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"],
  ...["CAP_AUDIT_WRITE", "CAP_NET_BIND_SERVICE"],
];

/** A site that nginx hands on to an application, beside the one of static pages that Debian's configuration has. */
const site = `server {
  listen 81;
  location / { proxy_pass http://127.0.0.1:8085; }
}
`;
const rotation = `/var/log/nginx/*.log {
  rotate 1
  compress
  create 0640 www-data adm
  sharedscripts
  postrotate
    kill -USR1 $(cat /run/nginx.pid)
  endscript
}
`;

/**
 * A container of this machine's servers, with what such containers are given in volumes: configuration, and keys of a
 * server of SSH and of who may log in. All of it is made in `folder`, the client's `key` too.
 */
export function serverOptions(folder: string): RuncOptions {
  const [keys, access, sites, logs] = ["keys", "access", "sites", "logs"].map((name) => join(folder, name)) as [
    ...[string, string, string, string],
  ];
  for (const path of [folder, keys, access, sites, logs]) mkdirSync(path);
  for (const file of [join(keys, "host"), join(folder, "key")]) {
    run("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", file]);
  }
  copyFileSync(join(folder, "key.pub"), join(access, "authorized_keys"));
  writeFileSync(join(sites, "application.conf"), site);
  writeFileSync(join(logs, "nginx"), rotation);
  chmodSync(join(logs, "nginx"), 0o644);
  const mounts = [
    ...[
      [keys, "/etc/ssh/keys"],
      [access, "/root/.ssh"],
      [access, "/var/lib/postgresql/.ssh"],
    ],
    ...[
      [sites, "/etc/nginx/conf.d"],
      [logs, "/etc/logrotate.test"],
    ],
  ].map(([source = "", target = ""]) => ({ source, target, readOnly: true }));
  return { rootfs: "/", capabilities, mounts };
}

/** Asks each of these addresses so often, four at a time. */
const load = (times: number, ...urls: string[]): string =>
  python(
    "import concurrent.futures, urllib.request",
    `urls = ${JSON.stringify(urls)} * ${times}`,
    "with concurrent.futures.ThreadPoolExecutor(4) as pool:",
    "    assert all(pool.map(lambda url: urllib.request.urlopen(url).read(), urls))",
  );

const nginx = `nginx -t -q && nginx && mkdir -p /srv/app && echo page >/srv/app/index.html || exit 1
(cd /srv/app; exec python3 -m http.server --bind 127.0.0.1 8085 >/dev/null 2>&1 </dev/null) &
for i in 1 2 3 4 5 6 7 8 9 10; do python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8085))' 2>/dev/null && break; sleep 0.2; done
for i in 1 2 3; do
  ${load(300, "http://127.0.0.1/", "http://127.0.0.1:81/")}
  nginx -s reload && logrotate -f /etc/logrotate.test/nginx || exit 1
done
test -s /var/log/nginx/access.log.1.gz`;

const ssh = `export LC_ALL=C
options="-F none -i $FOLDER/key -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=$FOLDER/known -o LogLevel=ERROR"
to() { ssh $options "$@"; }
to root@127.0.0.1 'uname -a; df; cat /etc/os-release; ls -l /var/log' >$FOLDER/said || exit 1
to postgres@127.0.0.1 'id; ls -l; env' >$FOLDER/said || exit 2
printf 'cd /srv && mkdir -p x && date >x/date\\nfor i in 1 2 3; do wc -c x/date; done\\n' | to root@127.0.0.1 sh >$FOLDER/said || exit 3
(sleep 1; for line in 'ls -l /' 'cd /srv; ps aux | head' 'tail -n 2 /etc/passwd' 'vi --version | head -2' exit; do
  echo "$line"; sleep 0.2; done) | to -tt root@127.0.0.1 >$FOLDER/said || exit 4
(sleep 1; for line in id 'echo $HOME' 'ls' exit; do echo "$line"; sleep 0.2; done) | to -tt postgres@127.0.0.1 >$FOLDER/said || exit 5
seq 100000 >$FOLDER/file && scp -q $options $FOLDER/file root@127.0.0.1:/srv/file || exit 6
scp -q -O $options root@127.0.0.1:/srv/file $FOLDER/back && cmp $FOLDER/file $FOLDER/back || exit 7
printf 'put %s /srv/again\\nls -l /srv\\nget /srv/again %s\\nrm /srv/again\\n' $FOLDER/file $FOLDER/back |
  sftp -q -b - $options root@127.0.0.1 >/dev/null || exit 8
tar -C $FOLDER -cf - file | to root@127.0.0.1 'tar -C /srv -xf - && md5sum /srv/file' >$FOLDER/said || exit 9`;

/** Real servers at their ordinary work. */
export const servers: Work[] = [
  {
    what: "nginx: static pages and an application behind it under load, a new configuration, logs that are rotated",
    in: "server",
    script: nginx,
  },
  {
    what: "sshd: commands, sessions at a terminal and without one, files that are copied both ways",
    in: "server",
    script: "mkdir -p /run/sshd && /usr/sbin/sshd -h /etc/ssh/keys/host",
    client: ssh,
  },
];
