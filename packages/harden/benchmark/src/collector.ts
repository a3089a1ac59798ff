import { errorText } from "@bulwark/model";
import { RootError, type Root } from "./root.ts";

/** What the checks that are to be run ask for by name: nothing else is read. */
export interface Needs {
  /** Paths and patterns (`/etc/cron.d/*`); what is known of each is `files["…"]`. */
  files: readonly string[];
  /** Files whose lines a check reads: `texts["…"]`. */
  texts: readonly string[];
  /** Files of settings in a form that is known: `settings["…"]`. */
  settings: readonly string[];
  /** Units of systemd: `units["…"]`. */
  units: readonly string[];
}

/** A host that is being looked at. */
export interface Host {
  readonly root: Root;
  readonly needs: Needs;
  /** Where the host's processes are; undefined where this process does not see them. */
  readonly proc: string | undefined;
  /** Says that a fact could not be looked at; see `Facts`. */
  miss(path: string, reason: string): void;
  /** What `look` gives; undefined, and missing under `path`, where it could not. */
  attempt<T>(path: string, look: () => T): T | undefined;
}

/** Facts of one kind, by the variables that checks know them under. Raises nothing for what is only broken. */
export interface Collector {
  readonly variables: readonly string[];
  collect(host: Host): Record<string, unknown>;
}

export function createHost(root: Root, needs: Needs): { host: Host; missing: Record<string, string> } {
  const missing: Record<string, string> = {};
  const host: Host = {
    root,
    needs,
    proc: procOf(root),
    miss(path, reason) {
      missing[path] = reason.slice(0, 1024);
    },
    attempt(path, look) {
      try {
        return look();
      } catch (error) {
        if (!(error instanceof RootError)) throw error;
        host.miss(path, errorText(error));
        return undefined;
      }
    },
  };
  return { host, missing };
}

/**
 * A pod has the host's `/proc` below the host's root where that was mounted with all below it. Its own shows the host
 * where it shares the host's process ids, and is somebody else's where it does not.
 */
function procOf(root: Root): string | undefined {
  return root.stat("/proc/1/stat") === undefined ? undefined : "/proc";
}
