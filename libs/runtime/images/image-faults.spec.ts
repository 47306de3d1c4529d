import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { runCommand } from "../command.ts";
import { type CraftedImage, craftImage, type TarEntry, tar, writeLayout } from "./crafted-image.ts";
import { CraftedRegistry } from "./crafted-registry.ts";
import { OciImageStore } from "./oci-image-store.ts";

const MIB = 1024 * 1024;
const ids = new SystemIds(new SystemClock());
const never = new AbortController().signal;
const invalid = { name: "TerminalError", code: "image_invalid" };

let root: string;
let dir: string;
let store: OciImageStore;
let registry: CraftedRegistry;
const open = (settings: { maxImageBytes?: number; findTimeoutMs?: number; bringTimeoutMs?: number } = {}) =>
  OciImageStore.open({ dir, ids, reserveBytes: 0, ...settings });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "drover-images-"));
  dir = join(root, "images");
  store = await open();
  registry = await CraftedRegistry.start();
});
afterEach(async () => {
  await registry.stop();
  await rm(root, { recursive: true });
});

const layer = (content: string | Buffer) => tar([{ name: "content", content }]);
const publish = (image: CraftedImage) => registry.publish("app", "v1", image);
const leftovers = async () => [
  ...(await readdir(join(dir, "staging"))),
  ...(await readdir(join(dir, "unpacked"))),
];

describe("F36: the registry lies", () => {
  const image = craftImage([layer(randomBytes(3 * MIB))]);
  const { config, layers } = JSON.parse(image.manifest.toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const flipped = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 9]! ^= 1;
    return copy;
  };

  it("about a manifest asked for by digest", async () => {
    const reference = publish(image).replace(":v1", `@${image.digest}`);
    registry.misbehave = ({ kind }, response, honest) =>
      kind === "manifest" && !!response.end(Buffer.concat([honest, Buffer.from(" ")]));
    await expect(store.pull(reference, never)).rejects.toMatchObject(invalid);
    expect(await leftovers()).toEqual([]);
  });

  it.each([
    ["the config", config.digest],
    ["a layer", layers[0]!.digest],
  ])("about %s", async (_what, digest) => {
    const reference = publish(image);
    registry.misbehave = ({ name }, response, honest) => name === digest && !!response.end(flipped(honest));
    await expect(store.pull(reference, never)).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining("wrong bytes"),
    });
    expect(await leftovers()).toEqual([]);
    registry.misbehave = () => false;
    expect(await store.pull(reference, never)).toMatchObject({ digest: image.digest });
  });

  it("about a layer's size: it stops after what was declared", async () => {
    const noise = randomBytes(MIB);
    let sent = 0;
    registry.misbehave = ({ name }, response) => {
      if (name !== layers[0]!.digest) return false;
      const send = () => {
        sent += noise.length;
        response.write(noise, (error) => error ?? send());
      };
      send();
      return true;
    };
    await expect(store.pull(publish(image), never)).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining("larger than its manifest declares"),
    });
    expect(sent).toBeLessThan(64 * MIB);
    expect(await leftovers()).toEqual([]);
  });

  it("about what a layer holds: its diff id", async () => {
    const lie = craftImage([layer("x")], { diffIds: [`sha256:${"0".repeat(64)}`] });
    await expect(store.pull(publish(lie), never)).rejects.toMatchObject(invalid);
    expect(await leftovers()).toEqual([]);
  });

  it("about what it is: a web page, an artefact, layers elsewhere", async () => {
    const reference = publish(image);
    registry.misbehave = ({ kind }, response) => kind === "manifest" && !!response.end("<html>");
    await expect(store.pull(reference, never)).rejects.toMatchObject(invalid);
    registry.misbehave = () => false;
    for (const odd of [
      { urls: ["http://169.254.169.254/"] },
      { mediaType: "application/vnd.cncf.helm.chart" },
    ]) {
      await expect(
        store.pull(publish(craftImage([layer("x")], { layer: odd })), never),
      ).rejects.toMatchObject(invalid);
    }
  });

  it("in a layout on disk, about manifest, config and layer", async () => {
    const honest = join(root, "honest");
    await writeLayout(honest, image, "v1");
    for (const digest of [image.digest, config.digest, layers[0]!.digest]) {
      const layout = join(root, digest.slice(-6));
      await cp(honest, layout, { recursive: true });
      const path = join(layout, "blobs", digest.replace(":", "/"));
      await writeFile(path, flipped(await readFile(path)));
      dir = join(root, `images-${digest.slice(-6)}`); // a store that has no blob yet
      store = await open();
      await expect(store.pull(`oci:${layout}:v1`, never)).rejects.toMatchObject(invalid);
    }
    expect(await leftovers()).toEqual([]);
  });
});

describe("F36: the registry is down, slow or refuses", () => {
  const image = craftImage([layer("x")]);

  it.each([
    [401, "UNAUTHORIZED", { code: "unauthorized", name: "TerminalError" }],
    [403, "DENIED", { code: "unauthorized", name: "TerminalError" }],
    [404, "NAME_UNKNOWN", { code: "image_not_found", name: "TerminalError" }],
    [500, "UNKNOWN", { name: "Error" }],
  ])("answers %i", async (status, code, error) => {
    registry.misbehave = (_request, response) => {
      response.statusCode = status;
      return !!response.end(
        JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] }),
      );
    };
    await expect(store.pull(publish(image), never)).rejects.toMatchObject(error);
  });

  it("answers nothing: the pull times out and may be tried again", async () => {
    store = await open({ findTimeoutMs: 300 });
    registry.misbehave = () => true;
    await expect(store.pull(publish(image), never)).rejects.toMatchObject({ name: "Error" });
  });

  it("stalls in the middle of a layer: the pull times out, the next one succeeds", async () => {
    store = await open({ bringTimeoutMs: 1_000 });
    const reference = publish(image);
    registry.misbehave = ({ kind }, response, honest) =>
      kind === "blob" && response.write(honest.subarray(0, 20));
    await expect(store.pull(reference, never)).rejects.toMatchObject({ name: "Error" });
    expect(await leftovers()).toEqual([]);
    registry.misbehave = () => false;
    expect(await store.pull(reference, never)).toMatchObject({ digest: image.digest });
  });

  it("stalls, and the caller gives up: no child stays, nothing is left", async () => {
    const controller = new AbortController();
    registry.misbehave = ({ kind }) => {
      if (kind === "blob") controller.abort(new Error("gave up"));
      return kind === "blob";
    };
    await expect(store.pull(publish(image), controller.signal)).rejects.toThrow("gave up");
    registry.misbehave = () => false;
    // the work of the abandoned pull ends by itself; this one is a pull of its own
    expect(await store.pull(publish(image), never)).toMatchObject({ digest: image.digest });
  });

  it("cuts the connection: worth another attempt", async () => {
    registry.misbehave = ({ kind }, response) => kind === "blob" && !!response.destroy();
    await expect(store.pull(publish(image), never)).rejects.toMatchObject({ name: "Error" });
  });
});

describe("F36: the image is hostile", () => {
  let outside: string;
  beforeEach(async () => {
    outside = join(root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "untouched");
  });
  const outsideFiles = async () => [await readdir(outside), await readFile(join(outside, "secret"), "utf8")];

  const attacks: [string, (outside: string) => TarEntry[][]][] = [
    ["climbs with ..", () => [[{ name: "../../../../outside/escaped", content: "x" }]]],
    ["names an absolute path", (out) => [[{ name: `${out}/escaped`, content: "x" }]]],
    [
      "writes through a symlink",
      (out) => [
        [
          { name: "d", type: "2", link: out },
          { name: "d/escaped", content: "x" },
        ],
      ],
    ],
    [
      "writes through a lower layer's symlink",
      (out) => [[{ name: "d", type: "2", link: out }], [{ name: "d/escaped" }]],
    ],
    [
      "writes through a climbing symlink",
      () => [[{ name: "d", type: "2", link: "../../../../outside" }, { name: "d/escaped" }]],
    ],
    [
      "overwrites a symlink's target",
      (out) => [
        [
          { name: "f", type: "2", link: `${out}/secret` },
          { name: "f", content: "x" },
        ],
      ],
    ],
    [
      "links a file from outside",
      (out) => [
        [
          { name: "h", type: "1", link: `${out}/secret` },
          { name: "h", content: "x" },
        ],
      ],
    ],
    [
      "links through a symlink",
      (out) => [
        [
          { name: "d", type: "2", link: out },
          { name: "h", type: "1", link: "d/secret" },
          { name: "h", content: "x" },
        ],
      ],
    ],
    [
      "deletes through a symlink",
      (out) => [[{ name: "d", type: "2", link: out }], [{ name: "d/.wh.secret" }]],
    ],
    [
      "empties through a symlink",
      (out) => [[{ name: "d", type: "2", link: out }], [{ name: "d/.wh..wh..opq" }]],
    ],
    [
      "replaces its root",
      (out) => [
        [
          { name: ".", type: "2", link: out },
          { name: "escaped", content: "x" },
        ],
      ],
    ],
    ["deletes the folder around its root", () => [[{ name: ".wh..." }]]],
    [
      "deletes the folder around its root through a symlink",
      () => [[{ name: "d", type: "2", link: "/" }, { name: "d/.wh..." }]],
    ],
  ];
  it.each(attacks)("%s: nothing outside the rootfs changes", async (_how, attack) => {
    const before = await store.pull(registry.publish("other", "v1", craftImage([layer("bystander")])), never);
    const image = craftImage(attack(outside).map(tar));
    await store.pull(publish(image), never).catch((error: unknown) => expect(error).toMatchObject(invalid));
    expect(await outsideFiles()).toEqual([["secret"], "untouched"]);
    expect(await readFile(join(store.rootfsOf(before.digest), "content"), "utf8")).toBe("bystander");
    expect(await readdir(join(dir, "staging"))).toEqual([]);
    expect(await readdir(dir)).toHaveLength(4);
  });

  it("a decompression bomb is refused before it reaches the disk", async () => {
    store = await open({ maxImageBytes: 4 * MIB });
    await expect(
      store.pull(publish(craftImage([layer(Buffer.alloc(5 * MIB))])), never),
    ).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining("unpacks to more than"),
    });
    expect(await leftovers()).toEqual([]);
  });

  it("a bomb of a few sparse bytes is not written out", async () => {
    await runCommand(["truncate", "--size=8G", join(root, "sparse")]);
    await runCommand([
      "tar",
      "-C",
      root,
      "--sparse",
      "--format=pax",
      "-cf",
      join(root, "bomb.tar"),
      "sparse",
    ]);
    const bomb = craftImage([await readFile(join(root, "bomb.tar"))]);
    await expect(store.pull(publish(bomb), never)).rejects.toMatchObject(invalid);
    expect(await leftovers()).toEqual([]);
  });

  it("a huge layer is refused before it is fetched", async () => {
    const image = craftImage([layer("x")], { layer: { size: 11 * 1024 * MIB } });
    await expect(store.pull(publish(image), never)).rejects.toMatchObject(invalid);
    expect(registry.requests.some((request) => request.includes("/blobs/"))).toBe(false);
  });
});

describe("F34: the image store's disk is full", () => {
  let disk: string;
  beforeEach(async () => {
    disk = join(root, "disk");
    await mkdir(disk);
    await runCommand(["mount", "-t", "tmpfs", "-o", "size=24m", "drover-spec", disk]);
    dir = join(disk, "images");
  });
  afterEach(async () => {
    await runCommand(["umount", disk]);
  });
  const big = craftImage([layer(randomBytes(8 * MIB))]);
  const full = { name: "TerminalError", code: "disk_full" };

  it("refuses an image that does not fit beside the reserve, and takes it when there is room", async () => {
    store = await OciImageStore.open({ dir, ids, reserveBytes: 4 * MIB });
    await writeFile(join(disk, "ballast"), Buffer.alloc(14 * MIB));
    await expect(store.pull(publish(big), never)).rejects.toMatchObject(full);
    expect(registry.requests.some((request) => request.includes("/blobs/"))).toBe(false);
    await rm(join(disk, "ballast"));
    expect(await store.pull(publish(big), never)).toMatchObject({ digest: big.digest });
  });

  it("refuses to unpack what only fits compressed", async () => {
    store = await OciImageStore.open({ dir, ids, reserveBytes: 4 * MIB });
    await expect(
      store.pull(publish(craftImage([layer(Buffer.alloc(21 * MIB))])), never),
    ).rejects.toMatchObject(full);
    expect(await leftovers()).toEqual([]);
  });

  it("fails cleanly when others fill the disk meanwhile, and keeps what it has", async () => {
    store = await OciImageStore.open({ dir, ids, reserveBytes: 0 });
    const small = await store.pull(registry.publish("other", "v1", craftImage([layer("small")])), never);
    registry.misbehave = ({ kind }, response, honest) => {
      if (kind !== "blob" || honest.length < MIB) return false;
      void writeFile(join(disk, "ballast"), Buffer.alloc(20 * MIB)).then(() => response.end(honest));
      return true;
    };
    await expect(store.pull(publish(big), never)).rejects.toMatchObject(full);
    expect(await store.load(small.digest)).toEqual(small);
    expect(await readdir(join(dir, "staging"))).toEqual([]);
    registry.misbehave = () => false;
    await rm(join(disk, "ballast"));
    expect(await store.pull(publish(big), never)).toMatchObject({ digest: big.digest });
  });
});

describe("F22: killed in the middle of a pull", () => {
  it("sweeps what lies half made and never uses it", async () => {
    const image = craftImage([layer("x")]);
    const hex = image.digest.slice("sha256:".length);
    await mkdir(join(dir, "staging/old/unpacked/rootfs"), { recursive: true });
    await symlink("/", join(dir, "staging/old/link"));
    await mkdir(join(dir, "unpacked", hex, "rootfs"), { recursive: true });
    store = await open();
    expect(await readdir(join(dir, "staging"))).toEqual([]);
    expect(await store.load(image.digest)).toBeUndefined();
    await store.pull(publish(image), never);
    expect(await readFile(join(store.rootfsOf(image.digest), "content"), "utf8")).toBe("x");
  });

  it("fetches again what went bad on the disk", async () => {
    const image = craftImage([layer("x")]);
    const { layers } = JSON.parse(image.manifest.toString()) as { layers: { digest: string }[] };
    const blob = join(dir, "blobs", layers[0]!.digest.replace(":", "/"));
    await writeFile(blob, "not the layer");
    await expect(store.pull(publish(image), never)).rejects.toThrow("damaged");
    expect(await store.pull(publish(image), never)).toMatchObject({ digest: image.digest });
  });
});
