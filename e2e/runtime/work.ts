import { readFileSync } from "node:fs";
import type { Entrance } from "./entrance.ts";

/** Ordinary work in a container, of which nothing is told but what is explained. */
export interface Work {
  what: string;
  /** `victim`: busybox. `tools`: the programs of this machine. `server`: those with the rights of a server (servers.ts). */
  in: "victim" | "tools" | "server";
  script: string;
  /** What is done outside after that, in the container's network; `FOLDER` has what it may know and is to be written to. */
  client?: string;
  by?: Entrance;
  /** Rules that are about this very work, and why they are to tell of it. */
  explained?: Readonly<Record<string, string>>;
}

export const python = (...lines: string[]): string => `python3 - <<'END'\n${lines.join("\n")}\nEND`;

/** Number of a user of this machine, whose programs the containers run; that of nobody where there is none. */
function userOf(name: string): number {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  return Number(line?.split(":")[2] ?? 65_534);
}

export const works: Work[] = [
  {
    what: "a program that is built, as in a build container",
    in: "tools",
    script: `mkdir /srv/build && cd /srv/build && printf 'int main(void) { return 0; }\\n' >x.c
      printf 'x: x.c\\n\\tcc -o x x.c\\n' >makefile; make -s && ls -l x`,
    explained: { "compiler-executed-in-a-container": "says so of every build that is no build agent's; low" },
  },
  {
    what: "a package that is built and installed, its script among it",
    in: "tools",
    script: `mkdir -p /srv/p/DEBIAN /srv/p/usr/share/bulwark-test /srv/p/etc/cron.d && cd /srv
      printf 'Package: bulwark-test\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@t.test>\\nDescription: t\\n' >p/DEBIAN/control
      printf '#!/bin/sh\\ntrue\\n' >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
      echo '# none' >p/etc/cron.d/bulwark-test; echo x >p/usr/share/bulwark-test/x
      dpkg-deb --build p >/dev/null && dpkg --install p.deb >/dev/null && dpkg --purge bulwark-test >/dev/null`,
    explained: {
      "package-manager-executed-in-a-container": "a package manager at run time is what it is about",
      drift: "the package's script is no part of the image",
    },
  },
  {
    what: "a session from outside",
    in: "victim",
    script:
      "ls -l / >/dev/null; ps; env; id; cat /etc/os-release; cat /etc/passwd | head -3; touch /tmp/note; rm /tmp/note",
  },
  {
    what: "a session with a terminal",
    in: "victim",
    script: "ls -l /; ps; cat /etc/os-release",
    by: { terminal: true },
    explained: { "shell-with-a-terminal-in-a-container": "a person in a container is what it is about; low" },
  },
  {
    what: "a web server under load, and its health check",
    in: "tools",
    script: python(
      "import http.server, threading, urllib.request, os",
      "os.makedirs('/srv/web', exist_ok=True); os.chdir('/srv/web'); open('index.html', 'w').write('x' * 2000)",
      "class Quiet(http.server.SimpleHTTPRequestHandler):",
      "    def log_message(self, *a): open('/var/log/access.log', 'a').write('x\\n')",
      "server = http.server.ThreadingHTTPServer(('0.0.0.0', 8080), Quiet)",
      "threading.Thread(target=server.serve_forever, daemon=True).start()",
      "for _ in range(300): urllib.request.urlopen('http://127.0.0.1:8080/').read()",
    ),
  },
  {
    what: "a database under load",
    in: "tools",
    script: python(
      "import sqlite3",
      "db = sqlite3.connect('/srv/data.db'); db.execute('pragma journal_mode=wal'); db.execute('create table t (n, s)')",
      "for n in range(2000):",
      "    db.execute('insert into t values (?, ?)', (n, 'x' * 100))",
      "    if n % 50 == 0: db.commit()",
      "db.commit(); db.execute('select sum(n) from t').fetchall(); db.execute('vacuum')",
    ),
  },
  {
    what: "PostgreSQL: a cluster that is made, started, under load, backed up and stopped",
    in: "tools",
    script: `PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"; export PGHOST=/tmp; cd /tmp
      initdb -D data -A trust >/dev/null && pg_ctl -D data -o "-c listen_addresses=127.0.0.1 -k /tmp" -w -l log start >/dev/null &&
      pgbench -i -q postgres >/dev/null 2>&1 && pgbench -h 127.0.0.1 -c 4 -j 2 -T 3 postgres >/dev/null 2>&1 &&
      pg_dump postgres >dump && psql -q -c 'vacuum analyze' postgres && pg_ctl -D data -w stop >/dev/null && test -s dump`,
    by: { user: userOf("postgres") },
  },
  {
    what: "an application that is connected and runs commands",
    in: "tools",
    script: python(
      "import socket, subprocess, multiprocessing, tempfile",
      "server = socket.create_server(('127.0.0.1', 8081)); client = socket.create_connection(('127.0.0.1', 8081))",
      "for _ in range(10): subprocess.run(['sh', '-c', 'date; uname -a'], capture_output=True, stdin=subprocess.PIPE)",
      "subprocess.run('ls /tmp | sort | head', shell=True, capture_output=True)",
      "with multiprocessing.Pool(2) as pool: pool.map(len, ['a', 'b'])",
      "tempfile.NamedTemporaryFile().write(b'x')",
    ),
  },
  {
    what: "a server that gives each connection to a program, as inetd does",
    in: "tools",
    script: python(
      "import socket, subprocess",
      "server = socket.create_server(('127.0.0.1', 8082)); client = socket.create_connection(('127.0.0.1', 8082))",
      "taken, _ = server.accept(); client.send(b'x\\n'); client.shutdown(socket.SHUT_WR)",
      "subprocess.run(['cat'], stdin=taken, stdout=taken)",
    ),
  },
  {
    what: "a backup to a file, and one over the network",
    in: "tools",
    script: `mkdir -p /srv/files && for i in $(seq 200); do echo $i >/srv/files/$i; done
      tar -C /srv -czf /srv/backup.tgz files && tar -tzf /srv/backup.tgz >/dev/null
      (busybox timeout 3 busybox nc -l -p 8083 >/srv/copy.tgz </dev/null &); busybox usleep 500000
      tar -C /srv -cz files | python3 -c 'import socket,sys;s=socket.create_connection(("127.0.0.1",8083));s.sendall(sys.stdin.buffer.read())'`,
    explained: { "network-tool-listens": "the other end of the copy is netcat" },
  },
  {
    what: "tasks of cron, logs that are rotated among them",
    in: "victim",
    script: `mkdir -p /var/log && echo line >/var/log/daily.log; /bin/busybox run-parts /etc/cron.daily
      mv /var/log/daily.log /var/log/daily.log.1 && /bin/busybox gzip /var/log/daily.log.1 && echo line >/var/log/daily.log`,
  },
  {
    what: "a server of Node, where Node is of the image",
    in: "tools",
    // Where this Node is in another file system it is not, and there is none to try; no image has one below /tmp.
    script: `[ ! -x ${process.execPath} ] || [ ${process.execPath.startsWith("/tmp/")} = true ] || ${process.execPath} -e '
      const server = require("http").createServer((_, answer) => answer.end("x")).listen(8084, async () => {
        for (let n = 0; n < 100; n++) await (await fetch("http://127.0.0.1:8084/")).text();
        await require("fs").promises.writeFile("/srv/node.txt", "x");
        server.close();
      });'`,
  },
  {
    what: "a pool of workers that start and end",
    in: "victim",
    script: "for i in $(seq 300); do /bin/true $i; done; seq 1000 | /bin/busybox xargs -n 50 /bin/echo >/dev/null",
  },
];
