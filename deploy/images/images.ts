/** What is in each image. Everything else here is how it gets there. */
export interface Image {
  readonly name: "agent" | "server";
  readonly title: string;
  /** Debian packages, all of them: dependencies are not followed. */
  readonly packages: readonly string[];
  /** Workspaces whose code and dependencies it takes. */
  readonly workspaces: readonly string[];
  /** Files of the checkout that are built, not written. */
  readonly built: readonly string[];
  /** Numeric user and group that it runs as. */
  readonly user: number;
  readonly command: readonly string[];
  readonly ports: readonly string[];
}

/** What Node needs: the C and C++ libraries; and the release, so that scanners know whose packages these are. */
const base = ["base-files", "gcc-12-base", "libc6", "libgcc-s1", "libstdc++6"];

export const images: readonly Image[] = [
  {
    name: "server",
    title: "Bulwark's control plane with its console",
    packages: base,
    workspaces: ["@bulwark/cli"],
    built: ["apps/console/dist"],
    user: 65532,
    command: ["serve"],
    ports: ["8443/tcp", "8444/tcp"],
  },
  {
    name: "agent",
    title: "Bulwark's agent of one node",
    // The sensor loads its programs with libbpf.
    packages: [...base, "libbpf1", "libelf1", "zlib1g"],
    workspaces: ["@bulwark/cli"],
    built: ["packages/watch/sensor/build/bulwark-sensor"],
    // Loading programs into the kernel and reading containers' files takes root; which capabilities, the chart says.
    user: 0,
    command: ["agent"],
    ports: [],
  },
];

/** In the image. */
export const places = {
  application: "opt/bulwark",
  node: "usr/bin/node",
  command: "usr/bin/bulwark",
  data: "var/lib/bulwark",
};
