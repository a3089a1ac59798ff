import assert from "node:assert/strict";
import { test } from "node:test";
import { pushesOf } from "./pushes.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("Harbor: a push is told with its repository, and nothing else is a push", () => {
  const event = (type: string) => ({
    type,
    occur_at: 1_700_000_000,
    operator: "admin",
    event_data: {
      resources: [{ digest, tag: "1.27", resource_url: "harbor.example/shop/web:1.27" }],
      repository: { name: "web", namespace: "shop", repo_full_name: "shop/web", repo_type: "private" },
    },
  });
  assert.deepEqual(pushesOf(event("PUSH_ARTIFACT")), [{ repository: "shop/web", tag: "1.27", digest }]);
  assert.deepEqual(pushesOf(event("DELETE_ARTIFACT")), []);
});

test("Harbor: the same as a CloudEvent", () => {
  const data = { resources: [{ digest, tag: "2" }], repository: { repo_full_name: "shop/web" } };
  const event = { specversion: "1.0", type: "harbor.artifact.pushed", source: "/projects/1", data };
  assert.deepEqual(pushesOf(event), [{ repository: "shop/web", tag: "2", digest }]);
  assert.deepEqual(pushesOf({ ...event, type: "harbor.artifact.pulled" }), []);
});

test("Docker Hub: the tag is told, the digest is not", () => {
  const body = {
    callback_url: "https://registry.hub.docker.com/u/shop/web/hook/x/",
    push_data: { pushed_at: 1_700_000_000, pusher: "shop", tag: "latest" },
    repository: { repo_name: "shop/web", name: "web", namespace: "shop", status: "Active" },
  };
  assert.deepEqual(pushesOf(body), [{ repository: "shop/web", tag: "latest", digest: null }]);
});

test("notifications of the reference implementation: layers and pulls are no pushes of an image", () => {
  const manifest = "application/vnd.oci.image.manifest.v1+json";
  const event = (action: string, target: object) => ({
    id: "1",
    action,
    target: { repository: "shop/web", digest, ...target },
  });
  const body = {
    events: [
      event("push", { mediaType: "application/octet-stream" }),
      event("pull", { mediaType: manifest, tag: "1" }),
      event("push", { mediaType: manifest, tag: "1" }),
      event("push", { mediaType: manifest }),
      { id: "2", action: "delete", target: { repository: "shop/web", digest } },
    ],
  };
  assert.deepEqual(pushesOf(body), [
    { repository: "shop/web", tag: "1", digest },
    { repository: "shop/web", tag: null, digest },
  ]);
});

test("Azure tells of one event, Quay of tags", () => {
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const event = {
    ...{ id: "1", timestamp: "2027-01-01T00:00:00Z", action: "push" },
    target: { mediaType, size: 524, digest, length: 524, repository: "shop/web", tag: "1" },
    request: { id: "2", host: "shop.azurecr.io", method: "PUT", useragent: "docker/27" },
  };
  assert.deepEqual(pushesOf(event), [{ repository: "shop/web", tag: "1", digest }]);
  assert.deepEqual(pushesOf({ ...event, action: "delete" }), []);
  const quay = { repository: "shop/web", docker_url: "quay.io/shop/web", updated_tags: ["1", "latest"] };
  assert.deepEqual(
    pushesOf(quay)?.map(({ tag }) => tag),
    ["1", "latest"],
  );
});

test("what is no webhook is not taken for an empty one", () => {
  for (const body of [
    null,
    [],
    "push",
    {},
    { events: "many" },
    { type: "PUSH_ARTIFACT" },
    { push_data: { tag: "1" } },
  ]) {
    assert.equal(pushesOf(body), undefined, JSON.stringify(body));
  }
});
