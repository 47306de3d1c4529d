import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { craftImage, craftIndex, tar, writeLayout } from "./crafted-image.ts";
import { CraftedRegistry } from "./crafted-registry.ts";
import { imageStoreContract } from "./image-store.contract.ts";
import type { ImageConfig } from "./image-store.ts";
import { ARCHITECTURE } from "./manifest.ts";
import { OciImageStore } from "./oci-image-store.ts";

const ids = new SystemIds(new SystemClock());
const never = new AbortController().signal;
const settings = { ids, reserveBytes: 0, findCachedTimeoutMs: 500 };

function ociConfig(config: ImageConfig): Record<string, unknown> {
  return {
    Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    WorkingDir: config.workingDir,
    User: config.user,
    StopSignal: config.stopSignal,
  };
}

imageStoreContract("skopeo and umoci", async () => {
  const dir = await mkdtemp(join(tmpdir(), "drover-images-"));
  const registry = await CraftedRegistry.start();
  return {
    store: await OciImageStore.open({ dir, ...settings }),
    async publish(repository, tag, content, config) {
      const image = craftImage([tar([{ name: "content", content }])], { config: ociConfig(config) });
      return registry.publish(repository, tag, image);
    },
    takeRegistryDown: () => registry.stop(),
    async silenceRegistry() {
      registry.misbehave = () => true;
    },
    reopened: () => OciImageStore.open({ dir, ...settings }),
    async close() {
      await registry.stop();
      await rm(dir, { recursive: true });
    },
  };
});

describe("OCI image store", () => {
  let root: string;
  let dir: string;
  let store: OciImageStore;
  let registry: CraftedRegistry;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "drover-images-"));
    dir = join(root, "images");
    store = await OciImageStore.open({ dir, ...settings });
    registry = await CraftedRegistry.start();
  });
  afterEach(async () => {
    await registry.stop();
    await rm(root, { recursive: true });
  });
  const layer = (content: string) => tar([{ name: "content", content }]);
  const contentOf = (digest: string) => readFile(join(store.rootfsOf(digest), "content"), "utf8");

  it("unpacks layers over each other, with deletions", async () => {
    const image = craftImage([
      tar([
        { name: "old", content: "x" },
        { name: "content", content: "below" },
      ]),
      tar([{ name: ".wh.old" }, { name: "content", content: "above" }]),
    ]);
    const { digest } = await store.pull(registry.publish("app", "v1", image), never);
    expect(digest).toBe(image.digest);
    expect(await readdir(store.rootfsOf(digest))).toEqual(["content"]);
    expect(await contentOf(digest)).toBe("above");
  });

  it("takes images in Docker's own format under the digest that the registry knows", async () => {
    const image = craftImage([layer("docker")], { docker: true, config: { Cmd: ["/run"], Env: null } });
    const pulled = await store.pull(registry.publish("app", "v1", image), never);
    expect(pulled).toMatchObject({ digest: image.digest, config: { cmd: ["/run"], env: {} } });
    expect(await contentOf(pulled.digest)).toBe("docker");
  });

  it("takes this platform's image of an index, by tag and by the index's digest", async () => {
    const mine = craftImage([layer("mine")]);
    const index = craftIndex({
      s390x: craftImage([layer("other")], { architecture: "s390x" }),
      [ARCHITECTURE]: mine,
    });
    const reference = registry.publish("app", "v1", index);
    expect(await store.pull(reference, never)).toMatchObject({ digest: mine.digest });
    const byDigest = reference.replace(":v1", `@${index.digest}`);
    expect(await store.pull(byDigest, never)).toMatchObject({ digest: mine.digest });
    const asked = registry.requests.length;
    expect(await store.pull(byDigest, never)).toMatchObject({ digest: mine.digest });
    expect(registry.requests).toHaveLength(asked);
  });

  it("refuses images for other platforms, naming what there is", async () => {
    const foreign = craftImage([layer("x")], { architecture: "s390x" });
    const refusal = { code: "image_invalid", message: expect.stringContaining("linux/s390x") };
    await expect(store.pull(registry.publish("app", "v1", foreign), never)).rejects.toMatchObject(refusal);
    const index = registry.publish("app", "v2", craftIndex({ s390x: foreign }));
    await expect(store.pull(index, never)).rejects.toMatchObject(refusal);
  });

  it("pulls from a layout on disk, with and without a tag", async () => {
    const layout = join(root, "layout");
    const image = craftImage([layer("from disk")]);
    await writeLayout(layout, image, "v1");
    expect(await store.pull(`oci:${layout}:v1`, never)).toMatchObject({ digest: image.digest });
    expect(await store.pull(`oci:${layout}`, never)).toMatchObject({ digest: image.digest });
    expect(await contentOf(image.digest)).toBe("from disk");
    await expect(store.pull(`oci:${layout}:v2`, never)).rejects.toMatchObject({
      code: "image_not_found",
      message: expect.stringContaining("v1"),
    });
    await expect(store.pull(`oci:${root}/none`, never)).rejects.toMatchObject({ code: "image_not_found" });
  });

  it("fetches the layers that images share once", async () => {
    const shared = layer("shared");
    await store.pull(registry.publish("app", "v1", craftImage([shared])), never);
    registry.requests.length = 0;
    await store.pull(registry.publish("app", "v2", craftImage([shared, tar([{ name: "more" }])])), never);
    // the new config and the new layer
    expect(registry.requests.filter((request) => request.includes("/blobs/"))).toHaveLength(2);
  });

  it("deletes an image's blobs with it, save those that a kept one shares", async () => {
    const shared = layer("shared");
    const kept = await store.pull(registry.publish("app", "v1", craftImage([shared])), never);
    await store.pull(registry.publish("app", "v2", craftImage([shared, layer("own")])), never);
    const blobs = () => readdir(join(dir, "blobs/sha256"));
    expect(await blobs()).toHaveLength(6);
    await store.prune([]);
    await store.prune([kept.digest]);
    expect(await blobs()).toHaveLength(3);
    expect(await readdir(join(dir, "references"))).toHaveLength(1);
    expect(await contentOf(kept.digest)).toBe("shared");
  });
});
