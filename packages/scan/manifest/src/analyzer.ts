import type { Analyzer, TreeEntry } from "@bulwark/image";
import type { CheckResult, ExtractorStatus } from "@bulwark/model";
import { judge } from "./checks.ts";
import { imageFacts, type FileFact } from "./image-facts.ts";

export interface ImageCheckResult {
  checks: CheckResult[];
  status: ExtractorStatus;
}

/** By the end of a path: what a file is there for. */
const roles: [role: string, path: RegExp][] = [
  ["shell", /^\/(?:usr\/|busybox\/)?(?:bin\/)?(?:sh|ash|bash|dash|ksh|zsh|busybox)$/],
  ["sudo", /^\/(?:usr\/)?bin\/(?:sudo|doas)$/],
  ["ssh-server", /^\/(?:usr\/)?s?bin\/(?:sshd|dropbear)$/],
  ["package-manager", /^\/(?:usr\/)?s?bin\/(?:dpkg|apk|rpm|dnf5?|microdnf|tdnf|yum|zypper|pacman)$/],
  ["compiler", /^\/usr\/bin\/(?:(?:[\w-]+-linux-[\w]+-)?(?:gcc|g\+\+)-\d+|clang-\d+|tcc)$/],
  [
    "cache",
    /^\/var\/(?:lib\/apt\/lists\/.*_(?:In)?(?:Packages|Release)(?:\.lz4)?|cache\/(?:apt\/archives\/[^/]+\.deb|apk\/[^/]+\.(?:apk|tar\.gz)|(?:dnf|yum|libdnf5)\/.+\.(?:rpm|solv|solvx|xml\.gz)))$/,
  ],
];

/** Checks of `content/checks/image` over an image's configuration and the modes of its files; content is not read. */
export const imageCheckAnalyzer: Analyzer<FileFact, ImageCheckResult> = {
  name: "checks",
  limit: Number.MAX_SAFE_INTEGER,
  wants: (entry) => factOf(entry) !== undefined,
  examine: (entry) => factOf(entry),
  conclude(examined) {
    const { faults, tree } = examined;
    const errors = faults.map(({ entry, message }) => ({
      path: entry.path.slice(0, 4096),
      message: message.slice(0, 1024),
    }));
    return {
      checks: judge("image", imageFacts(examined), tree.name),
      status: {
        extractor: "image-checks",
        state: errors.length > 0 ? "partial" : "done",
        errors: errors.slice(0, 1000),
      },
    };
  },
};

function factOf({ path, mode }: TreeEntry): FileFact | undefined {
  const fact = {
    setuid: (mode & 0o4000) !== 0,
    setgid: (mode & 0o2000) !== 0,
    worldWritable: (mode & 0o002) !== 0,
    roles: roles.filter(([, pattern]) => pattern.test(path)).map(([role]) => role),
  };
  return fact.setuid || fact.setgid || fact.worldWritable || fact.roles.length > 0 ? fact : undefined;
}
