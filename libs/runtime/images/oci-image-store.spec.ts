import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { layerOf, type Registry, startRegistry, writeOciLayout } from "#testing";
import { contentLayer, craftImage, craftIndex, emptyFile, writeLayout } from "./crafted-image.fixture.ts";
import { imageStoreContract } from "./image-store.contract.ts";
import { ImageStoreBench } from "./image-store.fixture.ts";
import type { ImageConfig } from "./image-store.ts";
import { ARCHITECTURE } from "./manifest.ts";

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
  const bench = await ImageStoreBench.open();
  return {
    store: bench.store,
    async publish(repository, tag, content, config) {
      const image = craftImage([contentLayer(content)], { process: ociConfig(config) });
      return bench.registry.publish(repository, tag, image);
    },
    takeRegistryDown: () => bench.registry.stop(),
    async silenceRegistry() {
      bench.registry.misbehave = () => true;
    },
    passMinute: () => bench.clock.pass(60_000),
    reopened: () => bench.reopen(),
    close: () => bench.close(),
  };
});

describe("OCI image store", () => {
  let bench: ImageStoreBench;
  beforeEach(async () => {
    bench = await ImageStoreBench.open();
  });
  afterEach(() => bench.close());

  it("unpacks layers over each other, with deletions", async () => {
    const below = layerOf([emptyFile("old"), { kind: "file", path: "content", content: "below" }]);
    const above = layerOf([emptyFile(".wh.old"), { kind: "file", path: "content", content: "above" }]);
    const image = craftImage([below, above]);
    const { digest } = await bench.pullImage(image);
    expect(digest).toBe(image.digest);
    expect(await readdir(bench.store.rootfsOf(digest))).toEqual(["content"]);
    expect(await bench.contentOf(digest)).toBe("above");
  });

  it("takes images in Docker's own format under the digest that the registry knows", async () => {
    const image = craftImage([contentLayer("docker")], {
      docker: true,
      process: { Cmd: ["/run"], Env: null },
    });
    const pulled = await bench.pullImage(image);
    expect(pulled).toMatchObject({ digest: image.digest, config: { cmd: ["/run"], env: {} } });
    expect(await bench.contentOf(pulled.digest)).toBe("docker");
  });

  it("takes this platform's image of an index, by tag and by the index's digest", async () => {
    const mine = craftImage([contentLayer("mine")]);
    const other = craftImage([contentLayer("other")], { architecture: "s390x" });
    const index = craftIndex({ s390x: other, [ARCHITECTURE]: mine });
    const reference = bench.publish(index);
    expect(await bench.pull(reference)).toMatchObject({ digest: mine.digest });
    const byDigest = reference.replace(":v1", `@${index.digest}`);
    expect(await bench.pull(byDigest)).toMatchObject({ digest: mine.digest });
    const asked = bench.registry.requests.length;
    expect(await bench.pull(byDigest)).toMatchObject({ digest: mine.digest });
    expect(bench.registry.requests).toHaveLength(asked);
  });

  it("refuses images for other platforms, naming what there is", async () => {
    const foreign = craftImage([contentLayer("x")], { architecture: "s390x" });
    const refusal = { code: "image_invalid", message: expect.stringContaining("linux/s390x") };
    await expect(bench.pullImage(foreign)).rejects.toMatchObject(refusal);
    await expect(bench.pullImage(craftIndex({ s390x: foreign }))).rejects.toMatchObject(refusal);
  });

  it("pulls from a layout on disk, with and without a tag", async () => {
    const layout = join(bench.root, "layout");
    const image = craftImage([contentLayer("from disk")]);
    await writeLayout(layout, image, "v1");
    expect(await bench.pull(`oci:${layout}:v1`)).toMatchObject({ digest: image.digest });
    expect(await bench.pull(`oci:${layout}`)).toMatchObject({ digest: image.digest });
    expect(await bench.contentOf(image.digest)).toBe("from disk");
    await expect(bench.pull(`oci:${layout}:v2`)).rejects.toMatchObject({
      code: "image_not_found",
      message: expect.stringContaining("v1"),
    });
    await expect(bench.pull(`oci:${layout}/none`)).rejects.toMatchObject({ code: "image_not_found" });
  });

  it("shows a registry its credentials from the authfile, and no others", async () => {
    const reference = bench.publish(craftImage([contentLayer("private")]));
    bench.registry.credentials = "me:secret";
    await expect(bench.pull(reference)).rejects.toMatchObject({ code: "unauthorized" });
    const authFile = join(bench.root, "auth.json");
    const auth = Buffer.from("me:secret").toString("base64");
    await writeFile(authFile, JSON.stringify({ auths: { [bench.registry.address]: { auth } } }));
    await bench.reopen({ authFile });
    expect(await bench.contentOf((await bench.pull(reference)).digest)).toBe("private");
  });

  it("fetches once what is pulled by many at a time, and layers that images share", async () => {
    const shared = contentLayer("shared");
    const reference = bench.publish(craftImage([shared]));
    await Promise.all([1, 2, 3].map(() => bench.pull(reference)));
    expect(bench.registry.fetchedBlobs()).toHaveLength(2);
    await bench.pullImage(craftImage([shared, layerOf([emptyFile("more")])]));
    expect(bench.registry.fetchedBlobs()).toHaveLength(4); // the second one's config and own layer
  });

  it("deletes an image's blobs with it, save those that a kept one shares", async () => {
    const shared = contentLayer("shared");
    const kept = await bench.pullImage(craftImage([shared]));
    await bench.pull(bench.registry.publish("app", "v2", craftImage([shared, contentLayer("own")])));
    const blobs = () => readdir(join(bench.dir, "blobs/sha256"));
    expect(await blobs()).toHaveLength(6);
    await bench.clock.pass(60_000);
    await bench.store.prune([kept.digest]);
    expect(await blobs()).toHaveLength(3);
    expect(await readdir(join(bench.dir, "references"))).toHaveLength(1);
    expect(await bench.contentOf(kept.digest)).toBe("shared");
  });

  it("F22: sweeps what a killed pull left half made, and never uses it", async () => {
    const image = craftImage([contentLayer("x")]);
    const hex = image.digest.slice("sha256:".length);
    await mkdir(join(bench.dir, "staging/old/unpacked/rootfs"), { recursive: true });
    await symlink("/", join(bench.dir, "staging/old/link"));
    await mkdir(join(bench.dir, "unpacked", hex, "rootfs"), { recursive: true });
    await bench.reopen();
    expect(await readdir(join(bench.dir, "staging"))).toEqual([]);
    expect(await bench.store.load(image.digest)).toBeUndefined();
    await bench.pullImage(image);
    expect(await bench.contentOf(image.digest)).toBe("x");
  });

  it("fetches again what went bad on its disk", async () => {
    const image = craftImage([contentLayer("x")]);
    await writeFile(join(bench.dir, "blobs", image.layers[0]!.digest.replace(":", "/")), "not the layer");
    await expect(bench.pullImage(image)).rejects.toThrow("damaged");
    expect(await bench.pullImage(image)).toMatchObject({ digest: image.digest });
  });
});

describe("OCI image store with Debian's docker-registry", () => {
  let bench: ImageStoreBench;
  let registry: Registry;
  beforeAll(async () => {
    bench = await ImageStoreBench.open();
    registry = await startRegistry();
  });
  afterAll(async () => {
    await registry.stop();
    await bench.close();
  });
  const layout = (name: string) =>
    writeOciLayout(join(bench.root, name), { files: [{ kind: "file", path: "name", content: name }] });

  it("pulls by tag and by digest, and goes on when it hangs and when it is down (F36)", async () => {
    const image = await layout("one");
    const { reference, pinned } = await registry.push(image, "team/one:v1");
    const pulled = await bench.pull(reference);
    expect(pulled.digest).toBe(image.digest);
    expect(await readdir(bench.store.rootfsOf(pulled.digest))).toContain("bin");
    registry.pause();
    expect(await bench.pull(reference)).toEqual(pulled);
    registry.resume();
    await registry.kill();
    expect(await bench.pull(reference)).toEqual(pulled);
    expect(await bench.pull(pinned)).toEqual(pulled);
    await registry.start();
  });

  it("F36: refuses a layer that went bad on the registry's disk", async () => {
    const image = await layout("two");
    const { reference } = await registry.push(image, "team/two:v1");
    await registry.corrupt(image.layers[1]!.digest);
    await expect(bench.pull(reference)).rejects.toMatchObject({ code: "image_invalid" });
  });
});
