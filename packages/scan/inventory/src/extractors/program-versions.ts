/** How a program tells its version: a pattern around a fixed text (`anchor`) in its bytes. Group 1 is the version. */
export interface Program {
  name: string;
  /** SPDX. */
  licence: string;
  path: RegExp;
  /** Names of libraries, which are not taken for programs by their endings. */
  names?: readonly string[];
  anchor: string;
  version: RegExp;
}

const dotted = String.raw`(\d+\.\d+(?:\.\d+)*(?:[-+~]?(?:alpha|beta|rc|p)\d*)?)`;
const after = (text: string): RegExp => new RegExp(text + dotted);

/* eslint no-control-regex: off -- texts in programs end with a zero byte */
export const programs: readonly Program[] = [
  { name: "node", licence: "MIT", path: /\/node(?:js)?$/, anchor: "node.js/v", version: after(String.raw`node\.js/v`) },
  {
    name: "python",
    licence: "PSF-2.0",
    path: /\/(?:python\d(?:\.\d+)?|libpython\d\.\d+\.so(?:\.1\.0)?)$/,
    anchor: "\u00003.",
    version: /\0(3\.\d{1,2}\.\d{1,2}(?:(?:a|b|rc)\d+)?)\+?\0/,
  },
  {
    name: "openssl",
    licence: "Apache-2.0",
    path: /\/(?:openssl|libcrypto(?:-[\w.]+)?\.so(?:\.[\d.]+)?)$/,
    names: ["libcrypto.so"],
    anchor: "OpenSSL ",
    version: /OpenSSL (\d+\.\d+\.\d+[a-z]?)\s+\d{1,2} [A-Z][a-z]{2} \d{4}/,
  },
  {
    name: "busybox",
    licence: "GPL-2.0-only",
    path: /\/busybox(?:\.static)?$/,
    anchor: "BusyBox v",
    version: after("BusyBox v"),
  },
  { name: "nginx", licence: "BSD-2-Clause", path: /\/nginx(?:-debug)?$/, anchor: "nginx/", version: after("nginx/") },
  {
    name: "redis",
    licence: "LicenseRef-Redis",
    path: /\/redis-(?:server|check-rdb|check-aof|sentinel)$/,
    // Its build id: version, host and time of the build, whether and which commit; none is known of a release's archive.
    anchor: "00000000\0",
    version: /(?<![\d.])(\d\.\d{1,2}\.\d{1,2})(?:[0-9a-f]{12}-|[A-Za-z][\w.-]*-)?\d{10}\d0{8}\0/,
  },
  {
    name: "php",
    licence: "PHP-3.01",
    path: /\/(?:php(?:\d(?:\.\d+)?)?|php-fpm[\d.]*|php-cgi[\d.]*|libphp[\d.]*\.so)$/,
    names: ["libphp.so"],
    anchor: "X-Powered-By: PHP/",
    version: after("PHP/"),
  },
  {
    name: "ruby",
    licence: "Ruby",
    path: /\/(?:ruby(?:\d\.\d)?|libruby(?:-?\d\.\d)?\.so(?:\.[\d.]+)?)$/,
    names: ["libruby.so"],
    anchor: "ruby ",
    version: /ruby (\d+\.\d+\.\d+)(?:p\d+)? \(\d{4}-/,
  },
  {
    name: "perl",
    licence: "Artistic-1.0-Perl OR GPL-1.0-or-later",
    path: /\/(?:perl(?:5[\d.]*)?|libperl\.so(?:\.[\d.]+)?)$/,
    names: ["libperl.so"],
    anchor: "/perl",
    version: /\/perl5?\/(5\.\d+\.\d+)/,
  },
  {
    name: "postgresql",
    licence: "PostgreSQL",
    path: /\/postgres$/,
    anchor: "postgres (PostgreSQL) ",
    version: after(String.raw`postgres \(PostgreSQL\) `),
  },
  { name: "httpd", licence: "Apache-2.0", path: /\/(?:httpd|apache2)$/, anchor: "Apache/", version: after("Apache/") },
  {
    name: "haproxy",
    licence: "GPL-2.0-or-later",
    path: /\/haproxy$/,
    anchor: "HAProxy version",
    version: /\0(\d+\.\d+\.\d+)(?:-[0-9a-f]{7,}|-\d+[\w.+~]*)?\0/,
  },
  {
    name: "memcached",
    licence: "BSD-3-Clause",
    path: /\/memcached$/,
    anchor: "memcached ",
    version: after("memcached "),
  },
  {
    name: "mariadb",
    licence: "GPL-2.0-only",
    path: /\/(?:mariadbd|mysqld)$/,
    anchor: "-MariaDB",
    version: /(\d+\.\d+\.\d+)-MariaDB/,
  },
  { name: "mysql", licence: "GPL-2.0-only", path: /\/mysqld$/, anchor: "mysql-", version: after("mysql-") },
  {
    name: "bash",
    licence: "GPL-3.0-or-later",
    path: /\/bash$/,
    anchor: "@(#)Bash version ",
    version: after("Bash version "),
  },
  {
    name: "curl",
    licence: "curl",
    path: /\/(?:curl|libcurl\.so(?:\.[\d.]+)?)$/,
    names: ["libcurl.so"],
    anchor: "curl",
    version: /(?:libcurl\/|\0curl )(\d+\.\d+\.\d+)/,
  },
  {
    name: "sqlite",
    licence: "blessing",
    path: /\/(?:sqlite3|libsqlite3\.so(?:\.[\d.]+)?)$/,
    names: ["libsqlite3.so"],
    anchor: "\u00003.",
    version: /\0(3\.\d{1,2}\.\d{1,2})\0/,
  },
];
