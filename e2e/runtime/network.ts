import type { Technique } from "./technique.ts";

/** A peer of the outside that is none: the address is the container's own, for this. */
const peer = (what: string, ip: string, port: number, rule: string, program = "curl"): Technique => ({
  what,
  in: "privileged",
  script: `ip addr add ${ip}/32 dev lo; /opt/bin/${program} do tcp ${ip} ${port}`,
  alerts: { [rule]: { "fd.name": `->${ip}:${port}` } },
});

/** A name server of the container's own answers: nothing is asked outside. */
const asked = (what: string, name: string, rule: string, program = "curl", kind = 1): Technique => ({
  what,
  in: "plain",
  script: `/opt/bin/${program} do ask ${name} ${kind}`,
  alerts: { [rule]: { "bulwark.dns.name": name, "proc.name": program } },
});

/** Names that tell of an attack. */
export const names: Technique[] = [
  asked("a mining pool", "eu.rplant.xyz", "name-of-a-mining-pool-asked-for"),
  asked("a callback service", "HOST.oast.pro", "name-of-a-callback-service-asked-for"),
  asked("a tunnel service", "HOST.trycloudflare.com", "name-of-a-tunnel-service-asked-for"),
  asked("a paste site", "pastebin.com", "name-of-a-paste-or-drop-site-asked-for"),
  asked("a cloud's metadata service", "metadata.google.internal", "name-of-a-cloud-s-metadata-service-asked-for"),
  asked("a DNS over HTTPS server", "dns.google", "name-of-a-dns-over-https-server-asked-for"),
  asked("Tor", "HOST.onion", "name-of-the-tor-network-asked-for"),
  asked("a dynamic name", "HOST.duckdns.org", "dynamic-name-asked-for"),
  asked("a chat service", "api.telegram.org", "chat-service-asked-for-by-a-tool"),
  asked("the own address", "ifconfig.me", "public-address-of-the-machine-asked-for"),
  asked("all services", "any.any.svc.cluster.local", "all-services-of-the-cluster-asked-for", "curl", 33),
  asked("a lump of bytes", "HOST.example.org", "question-of-a-kind-that-carries-data", "curl", 10),
  asked("iodine", "a.example.org", "program-of-a-tunnel-over-dns-asks", "iodine", 16),
];

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
