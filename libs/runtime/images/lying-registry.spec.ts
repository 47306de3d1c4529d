import { randomBytes } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { contentLayer, craftImage, writeLayout } from "./crafted-image.fixture.ts";
import { refuse } from "./crafted-registry.fixture.ts";
import { ImageStoreBench } from "./image-store.fixture.ts";

const MIB = 1024 * 1024;
const invalid = { name: "TerminalError", code: "image_invalid" };
const image = craftImage([contentLayer(randomBytes(3 * MIB))]);
const layer = image.layers[0]!;

let bench: ImageStoreBench;
beforeEach(async () => {
  bench = await ImageStoreBench.open();
});
afterEach(() => bench.close());

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 9]! ^= 1;
  return copy;
}

describe("F36: the registry lies", () => {
  it("about a manifest asked for by digest", async () => {
    const reference = bench.publish(image).replace(":v1", `@${image.digest}`);
    bench.registry.misbehave = ({ kind }, response, honest) =>
      kind === "manifest" && !!response.end(Buffer.concat([honest, Buffer.from(" ")]));
    await expect(bench.pull(reference)).rejects.toMatchObject(invalid);
    expect(await bench.leftovers()).toEqual([]);
  });

  it.each([
    ["the config", image.config.digest],
    ["a layer", layer.digest],
  ])("about %s", async (_what, digest) => {
    const reference = bench.publish(image);
    bench.registry.misbehave = ({ name }, response, honest) =>
      name === digest && !!response.end(flipped(honest));
    const refusal = { ...invalid, message: expect.stringContaining("wrong bytes") };
    await expect(bench.pull(reference)).rejects.toMatchObject(refusal);
    expect(await bench.leftovers()).toEqual([]);
    bench.registry.misbehave = () => false;
    expect(await bench.pull(reference)).toMatchObject({ digest: image.digest });
  });

  it("about a layer's size: it stops soon after what was declared", async () => {
    const noise = randomBytes(MIB);
    let sent = 0;
    bench.registry.misbehave = ({ name }, response) => {
      if (name !== layer.digest) return false;
      const send = () => {
        sent += noise.length;
        response.write(noise, (error) => error ?? send());
      };
      send();
      return true;
    };
    const refusal = { ...invalid, message: expect.stringContaining("larger than its manifest declares") };
    await expect(bench.pullImage(image)).rejects.toMatchObject(refusal);
    expect(sent).toBeLessThan(64 * MIB);
    expect(await bench.leftovers()).toEqual([]);
  });

  it("about what a layer holds: its diff id", async () => {
    const lie = craftImage([contentLayer("x")], { diffIds: [`sha256:${"0".repeat(64)}`] });
    await expect(bench.pullImage(lie)).rejects.toMatchObject(invalid);
    expect(await bench.leftovers()).toEqual([]);
  });

  it("about what it is: a web page, an artefact, an image whose layers lie elsewhere", async () => {
    const reference = bench.publish(image);
    bench.registry.misbehave = ({ kind }, response) => kind === "manifest" && !!response.end("<html>");
    await expect(bench.pull(reference)).rejects.toMatchObject(invalid);
    bench.registry.misbehave = () => false;
    for (const descriptor of [{ urls: ["http://169.254.169.254/"] }, { mediaType: "application/helm" }]) {
      const odd = craftImage([contentLayer("x")], { descriptor });
      await expect(bench.pullImage(odd)).rejects.toMatchObject(invalid);
    }
  });

  it("as a layout on disk does, about manifest, config and layer", async () => {
    const honest = join(bench.root, "honest");
    await writeLayout(honest, image, "v1");
    for (const digest of [image.digest, image.config.digest, layer.digest]) {
      const layout = join(bench.root, digest.slice(-6));
      await cp(honest, layout, { recursive: true });
      const path = join(layout, "blobs", digest.replace(":", "/"));
      await writeFile(path, flipped(await readFile(path)));
      bench.dir = join(bench.root, `images-${digest.slice(-6)}`); // a store that has no blob yet
      await bench.reopen();
      await expect(bench.pull(`oci:${layout}:v1`)).rejects.toMatchObject(invalid);
      expect(await bench.leftovers()).toEqual([]);
    }
  });
});

describe("F36: the registry is down, slow or refuses", () => {
  it.each([
    [401, "UNAUTHORIZED", { code: "unauthorized", name: "TerminalError" }],
    [403, "DENIED", { code: "unauthorized", name: "TerminalError" }],
    [404, "NAME_UNKNOWN", { code: "image_not_found", name: "TerminalError" }],
    [500, "UNKNOWN", { name: "Error" }],
  ])("answers %i", async (status, code, error) => {
    bench.registry.misbehave = (_asked, response) => {
      refuse(response, status, code);
      return true;
    };
    await expect(bench.pullImage(image)).rejects.toMatchObject(error);
  });

  it("answers nothing: the pull times out and may be tried again", async () => {
    await bench.reopen({ findTimeoutMs: 300 });
    bench.registry.misbehave = () => true;
    await expect(bench.pullImage(image)).rejects.toMatchObject({ name: "Error" });
  });

  it("stalls in the middle of a layer: the pull times out, the next one succeeds", async () => {
    await bench.reopen({ bringTimeoutMs: 1_000 });
    bench.registry.misbehave = ({ kind }, response, honest) =>
      kind === "blob" && response.write(honest.subarray(0, 20));
    await expect(bench.pullImage(image)).rejects.toMatchObject({ name: "Error" });
    expect(await bench.leftovers()).toEqual([]);
    bench.registry.misbehave = () => false;
    await bench.reopen();
    expect(await bench.pullImage(image)).toMatchObject({ digest: image.digest });
  });

  it("stalls, and the caller gives up: the next pull is a pull of its own", async () => {
    const controller = new AbortController();
    bench.registry.misbehave = ({ kind }) => {
      if (kind === "blob") controller.abort(new Error("gave up"));
      return kind === "blob";
    };
    await expect(bench.store.pull(bench.publish(image), controller.signal)).rejects.toThrow("gave up");
    bench.registry.misbehave = () => false;
    expect(await bench.pullImage(image)).toMatchObject({ digest: image.digest });
  });

  it("cuts the connection: worth another attempt", async () => {
    bench.registry.misbehave = ({ kind }, response) => kind === "blob" && !!response.destroy();
    await expect(bench.pullImage(image)).rejects.toMatchObject({ name: "Error" });
  });
});
