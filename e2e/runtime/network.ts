import type { Technique } from "./technique.ts";

/** A peer of the outside that is none: the address is the container's own, for this. */
const peer = (what: string, ip: string, port: number, rule: string, program = "curl"): Technique => ({
  what,
  in: "privileged",
  script: `ip addr add ${ip}/32 dev lo; /opt/bin/${program} do tcp ${ip} ${port}`,
  alerts: { [rule]: { "fd.name": `->${ip}:${port}` } },
});

/** Connections and sockets that tell of an attack. */
export const networks: Technique[] = [
  peer("the metadata service of a cloud", "169.254.169.254", 80, "metadata-service-of-a-cloud-contacted"),
  peer("a mining pool", "203.0.113.1", 3333, "connection-to-a-mining-pool-s-port"),
  peer("Tor", "203.0.113.2", 9001, "connection-to-the-tor-network"),
  peer("IRC", "203.0.113.3", 6667, "connection-to-irc"),
  peer("ssh to an unusual port", "203.0.113.4", 443, "ssh-to-an-unusual-port", "ssh"),
  {
    what: "a shell that connects by itself",
    in: "tools",
    script: "bash -c 'exec 5<>/dev/tcp/192.0.2.1/80'",
    alerts: { "shell-connects-to-the-network": { "fd.name": "->192.0.2.1:80" } },
  },
  {
    what: "a packet socket, refused",
    in: "plain",
    script: "deeds do packets",
    alerts: { "packet-socket-opened-in-a-container": { "proc.cmdline": "deeds do packets" } },
  },
];
