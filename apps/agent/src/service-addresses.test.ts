import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeResource } from "@bulwark/kube";
import { servicesOf } from "./service-addresses.ts";

function service(name: string, spec: object): KubeResource {
  return { metadata: { name, namespace: "shop", uid: name, resourceVersion: "1" }, spec };
}
function slice(of: string, more: object): KubeResource {
  const labels = { "kubernetes.io/service-name": of };
  return { metadata: { name: `${of}-1`, namespace: "shop", uid: `${of}-1`, resourceVersion: "1", labels }, ...more };
}

test("an address leads to what is ready behind it, by the port's name", () => {
  const ports = [
    { name: "web", port: 80 },
    { name: "dns", port: 53, protocol: "UDP" },
  ];
  const endpoints = [
    { addresses: ["10.0.0.1"], conditions: { ready: true } },
    { addresses: ["10.0.0.2"], conditions: { ready: false } },
    { addresses: ["10.0.0.3"], conditions: {} },
  ];
  const told = slice("a", { endpoints, ports: [{ name: "web", port: 8080 }] });
  assert.deepEqual(servicesOf([service("a", { clusterIPs: ["10.96.0.1", "fd00::1"], ports })], [told]), [
    { ip: "10.96.0.1", ports: targets() },
    { ip: "fd00::1", ports: targets() },
  ]);
  function targets(): object[] {
    const web = ["10.0.0.1", "10.0.0.3"].map((end) => ({ end, port: 8080 }));
    return [
      { port: 80, protocol: "TCP", targets: web },
      { port: 53, protocol: "UDP", targets: [] },
    ];
  }
});

test("a Service without endpoints, as an API server tells of it, leads nowhere", () => {
  const empty = slice("a", { endpoints: null, ports: null });
  const bare = slice("a", { endpoints: [{ addresses: null, conditions: null }], ports: [{ port: 80, name: "" }] });
  const one = service("a", { clusterIP: "10.96.0.1", ports: [{ port: 80 }] });
  assert.deepEqual(servicesOf([one], [empty, bare]), [
    { ip: "10.96.0.1", ports: [{ port: 80, protocol: "TCP", targets: [] }] },
  ]);
  const headless = service("b", { clusterIP: "None", clusterIPs: ["None"], ports: null });
  const named = service("c", { type: "ExternalName" });
  assert.deepEqual(servicesOf([headless, named], [slice("x", {})]), []);
});
