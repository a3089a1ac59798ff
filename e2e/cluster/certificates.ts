import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "@bulwark/testkit";

/** A certificate and its key, as paths of PEM files. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface Authority {
  readonly certificate: string;
  /** A certificate of a user (`organization` are its groups) or, with `hosts`, of a server too. */
  issue(name: string, subject: { user: string; groups?: string[]; hosts?: string[] }): KeyPair;
}

/** A certificate authority of the cluster's own, with openssl, in `folder`. */
export function createAuthority(folder: string): Authority & { key: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(folder, name);
  const newKey = (name: string): string => {
    run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path(`${name}.key`)]);
    return path(`${name}.key`);
  };
  const key = newKey("ca");
  const certificate = path("ca.crt");
  run("openssl", [
    "req",
    "-x509",
    "-new",
    "-key",
    key,
    "-subj",
    "/CN=test cluster",
    "-days",
    "30",
    "-out",
    certificate,
  ]);
  return {
    certificate,
    key,
    issue(name, { user, groups = [], hosts = [] }) {
      const own = newKey(name);
      const subject = `${groups.map((group) => `/O=${group}`).join("")}/CN=${user}`;
      run("openssl", ["req", "-new", "-key", own, "-subj", subject, "-out", path(`${name}.csr`)]);
      const names = hosts.map((host) => `${/^[\d.]+$/.test(host) ? "IP" : "DNS"}:${host}`).join(",");
      const extensions = ["keyUsage=digitalSignature", "extendedKeyUsage=clientAuth,serverAuth"];
      if (names !== "") extensions.push(`subjectAltName=${names}`);
      writeFileSync(path(`${name}.ext`), `${extensions.join("\n")}\n`);
      const authority = ["-CA", certificate, "-CAkey", key, "-CAcreateserial"];
      const request = ["-in", path(`${name}.csr`), "-extfile", path(`${name}.ext`), "-days", "30"];
      run("openssl", ["x509", "-req", ...authority, ...request, "-out", path(`${name}.crt`)]);
      return { certificate: path(`${name}.crt`), key: own };
    },
  };
}

/** A pair of RSA keys with which service-account tokens are signed. */
export function createTokenKey(folder: string): string {
  const path = join(folder, "service-accounts.key");
  run("openssl", ["genrsa", "-out", path, "2048"]);
  return path;
}

/** Writes a kubeconfig with everything in it, so that it works from wherever it is copied. */
export function writeKubeconfig(path: string, server: string, authority: Authority, user: KeyPair): void {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": encoded(authority.certificate) } }],
    users: [
      {
        name: "test",
        user: { "client-certificate-data": encoded(user.certificate), "client-key-data": encoded(user.key) },
      },
    ],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
}

function encoded(path: string): string {
  return readFileSync(path).toString("base64");
}
