import type { Collector, Host } from "../collector.ts";
import { fileFact, statFacts, type FileFact } from "./files.ts";

interface User {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
  /** The password is in /etc/shadow, not here. */
  shadowed: boolean;
}

/** What /etc/shadow says, but for the hash itself. Days; -1 where there is none. */
interface Shadow {
  name: string;
  /** `locked`: none can be given; `empty`: none is asked for. */
  password: "set" | "locked" | "empty";
  lastChange: number;
  min: number;
  max: number;
  warn: number;
  inactive: number;
}

const homeLimit = 1000;
const dotFileLimit = 500;

/** Users, groups, what is known of passwords, and the homes of people. Hashes are not kept. */
export const accounts: Collector = {
  variables: ["accounts"],
  collect(host) {
    const rows = (path: string, name: string): string[][] => {
      const text = host.attempt(`accounts.${name}`, () => host.root.text(path));
      if (text === undefined) host.miss(`accounts.${name}`, `${path} cannot be read, or is not there`);
      return (text ?? "")
        .split("\n")
        .filter((line) => /^[^#+-][^:]*:/.test(line))
        .map((line) => line.split(":"));
    };
    const users = rows("/etc/passwd", "users").map(userOf);
    const shells = (host.root.text("/etc/shells") ?? "").split("\n").filter((line) => line.startsWith("/"));
    const facts = {
      users,
      groups: rows("/etc/group", "groups").map(([name = "", , gid = "", members = ""]) => ({
        name,
        gid: Number(gid),
        members: members.split(",").filter(Boolean),
      })),
      shadow: rows("/etc/shadow", "shadow").map(shadowOf),
      shells,
      today: Math.floor(Date.now() / 86_400_000),
      homes: host.attempt("accounts.homes", () => homesOf(host, users, shells)) ?? [],
    };
    return { accounts: facts };
  },
};

function userOf([name = "", password = "", uid = "", gid = "", , home = "", shell = ""]: string[]): User {
  return { name, uid: Number(uid), gid: Number(gid), home, shell: shell.trim(), shadowed: password === "x" };
}

function shadowOf([name = "", password = "", lastChange, min, max, warn, inactive]: string[]): Shadow {
  const days = (text: string | undefined): number => (text === undefined || text === "" ? -1 : Number(text));
  const state = password === "" ? "empty" : /^[!*]/.test(password) ? "locked" : "set";
  return {
    name,
    password: state,
    lastChange: days(lastChange),
    min: days(min),
    max: days(max),
    warn: days(warn),
    inactive: days(inactive),
  };
}

interface Home extends FileFact {
  user: string;
  userUid: number;
  userGid: number;
  dotFiles: ({ name: string } & Omit<FileFact, "path" | "exists">)[];
}

/** Of those whose shell lets them in. */
function homesOf(host: Host, users: readonly User[], shells: readonly string[]): Home[] {
  const people = users.filter(({ shell }) => shells.includes(shell) && !/\/(?:nologin|false)$/.test(shell));
  return people.slice(0, homeLimit).map(({ name, uid, gid, home }) => {
    const names = (host.root.list(home) ?? []).filter((entry) => entry.startsWith("."));
    const dotFiles = names.slice(0, dotFileLimit).flatMap((entry) => {
      const stats = host.root.stat(`${home}/${entry}`, { link: true });
      return stats?.isFile() === true ? [{ name: entry, ...statFacts(host, stats) }] : [];
    });
    return { ...fileFact(host, home), user: name, userUid: uid, userGid: gid, dotFiles };
  });
}
