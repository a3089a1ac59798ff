import { errorText } from "@bulwark/model/plain";
import { off, ok, type Finding, type ProbeContext } from "./probe.ts";

/** One address of each kind of feed that `bulwark db update` reads. */
const addresses = {
  OSV: "https://osv-vulnerabilities.storage.googleapis.com/Alpine/all.zip",
  "Alpine secdb": "https://secdb.alpinelinux.org/v3.20/main.json",
  "CISA KEV": "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
};

export async function feeds({ online }: ProbeContext): Promise<Finding> {
  if (!online) return off("feeds", "not asked (--offline)", "bulwark db update --from DIR takes an offline mirror");
  const problems = await Promise.all(Object.entries(addresses).map(async ([name, url]) => unreachable(name, url)));
  const lacking = problems.filter((problem) => problem !== undefined);
  if (lacking.length === 0) return ok("feeds", `${Object.keys(addresses).join(", ")} answer`);
  return off(
    "feeds",
    `cannot be reached: ${lacking.join("; ")}`,
    "let this machine reach them (HTTPS_PROXY is read), or use a mirror: bulwark db update --from DIR",
  );
}

async function unreachable(name: string, url: string): Promise<string | undefined> {
  try {
    const { ok: answered, status } = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5000) });
    return answered ? undefined : `${name} (status ${status})`;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return `${name} (${errorText(cause)})`;
  }
}
