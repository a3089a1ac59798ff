import { stateless, type Detector } from "../detector.ts";

/** Addresses and names from the documentation of each cloud. */
const services = new Map([
  ["169.254.169.254", "AWS, Azure, Google Cloud, Huawei, IBM, Oracle, OpenStack, DigitalOcean"],
  ["fd00:ec2::254", "AWS"],
  ["169.254.170.2", "AWS, credentials of ECS"],
  ["169.254.170.23", "AWS, credentials of EKS pods"],
  ["fd00:ec2::23", "AWS, credentials of EKS pods"],
  ["metadata.google.internal", "Google Cloud"],
  ["fd20:ce::254", "Google Cloud"],
  ["168.63.129.16", "Azure, WireServer"],
  ["100.100.100.200", "Alibaba Cloud"],
  ["169.254.0.23", "Tencent Cloud"],
  ["metadata.tencentyun.com", "Tencent Cloud"],
  ["fd00:c1::a9fe:a9fe", "Oracle Cloud"],
  ["fe80::a9fe:a9fe", "OpenStack"],
  ["api.metadata.cloud.ibm.com", "IBM Cloud"],
]);
/** Google and Azure answer DNS at the same addresses. */
const nameServer = 53;

/** A pod asks the cloud for the credentials of its node. */
export const metadataService: Detector = {
  id: "metadata-service",
  title: "The metadata service of the cloud is asked",
  severity: "high",
  techniques: ["T1552.005"],
  needs: ["addresses"],
  start: ({ profile }) =>
    stateless((flow) => {
      const { client, server, port } = flow;
      const cloud = services.get(server.ip ?? "") ?? services.get(server.name ?? "");
      if (cloud === undefined || port === nameServer || !client.workload || profile?.knows(flow)) return undefined;
      const ordinary = profile ? "; it did not before" : "";
      return {
        score: flow.result === "established" ? 0.9 : 0.6,
        explanation: `${server.name ?? server.ip ?? ""} gives credentials of the node (${cloud})${ordinary}`,
        evidence: [{ key: "result", value: flow.result }],
      };
    }),
};
