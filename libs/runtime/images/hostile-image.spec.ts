import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { decompressionBomb, hugeDeclaredLayer, layerOf, type TarEntry, writeOciLayout } from "#testing";
import { runCommand } from "../command.ts";
import { archiveLayer, contentLayer, craftImage, emptyFile } from "./crafted-image.fixture.ts";
import { ImageStoreBench } from "./image-store.fixture.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const invalid = { name: "TerminalError", code: "image_invalid" };
const full = { name: "TerminalError", code: "disk_full" };

let bench: ImageStoreBench;

type Attack = (outside: string) => TarEntry[][];
const file = (path: string): TarEntry => ({ kind: "file", path, content: "attack" });
const symlink = (path: string, target: string): TarEntry => ({ kind: "symlink", path, target });
const hardlink = (path: string, target: string): TarEntry => ({ kind: "hardlink", path, target });

/** Layers that reach for a folder outside; a folder named "outside" lies four levels above each rootfs. */
const attacks: Record<string, Attack> = {
  "climbs with ..": () => [[file("../../../../outside/escaped")]],
  "names an absolute path": (outside) => [[file(`${outside}/escaped`)]],
  "writes through a symlink": (outside) => [[symlink("d", outside), file("d/escaped")]],
  "writes through a lower layer's symlink": (outside) => [[symlink("d", outside)], [file("d/escaped")]],
  "writes through a climbing symlink": () => [[symlink("d", "../../../../outside"), file("d/escaped")]],
  "overwrites a symlink's target": (outside) => [[symlink("f", `${outside}/secret`), file("f")]],
  "links a file from outside": (outside) => [[hardlink("h", `${outside}/secret`), file("h")]],
  "links through a symlink": (outside) => [[symlink("d", outside), hardlink("h", "d/secret"), file("h")]],
  "deletes through a symlink": (outside) => [[symlink("d", outside)], [emptyFile("d/.wh.secret")]],
  "empties through a symlink": (outside) => [[symlink("d", outside)], [emptyFile("d/.wh..wh..opq")]],
  "replaces its root": (outside) => [[symlink(".", outside), file("escaped")]],
  "deletes the folder around its root": () => [[emptyFile(".wh...")]],
  "deletes that folder through a symlink": () => [[symlink("d", "/"), emptyFile("d/.wh...")]],
};

describe("F36: the image reaches out", () => {
  let outside: string;
  let bystander: string;
  beforeAll(async () => {
    bench = await ImageStoreBench.open();
    outside = join(bench.root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "untouched");
    bystander = (await bench.pullImage(craftImage([contentLayer("stander")]))).digest;
  });
  afterAll(() => bench.close());

  it.each(Object.entries(attacks))("%s: nothing outside its rootfs changes", async (_how, attack) => {
    const hostile = craftImage(attack(outside).map(layerOf));
    await bench.pullImage(hostile).catch((error: unknown) => expect(error).toMatchObject(invalid));
    expect(await readdir(outside)).toEqual(["secret"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("untouched");
    expect(await bench.contentOf(bystander)).toBe("stander");
    expect((await readdir(bench.dir)).sort()).toEqual(["blobs", "references", "staging", "unpacked"]);
    expect(await readdir(join(bench.dir, "staging"))).toEqual([]);
  });
});

describe("F36: the image is too much", () => {
  beforeEach(async () => {
    bench = await ImageStoreBench.open();
  });
  afterEach(() => bench.close());

  it("a decompression bomb is refused before it reaches the disk", async () => {
    await bench.reopen({ maxImageBytes: 64 * MIB });
    const { reference } = await writeOciLayout(join(bench.root, "bomb"), decompressionBomb(GIB));
    const refusal = { ...invalid, message: expect.stringContaining("unpacks to more than") };
    await expect(bench.pull(reference)).rejects.toMatchObject(refusal);
    expect(await bench.leftovers()).toEqual([]);
  });

  it("a bomb of a few sparse bytes is not written out", async () => {
    await runCommand(["truncate", "--size=8G", join(bench.root, "sparse")]);
    const archive = join(bench.root, "bomb.tar");
    await runCommand(["tar", "-C", bench.root, "--sparse", "--format=pax", "-cf", archive, "sparse"]);
    const bomb = craftImage([archiveLayer(await readFile(archive))]);
    await expect(bench.pullImage(bomb)).rejects.toMatchObject(invalid);
    expect(await bench.leftovers()).toEqual([]);
  });

  it("a huge layer is refused before it is fetched", async () => {
    const { reference } = await writeOciLayout(join(bench.root, "huge"), hugeDeclaredLayer(11 * GIB));
    await expect(bench.pull(reference)).rejects.toMatchObject(invalid);
    expect(await readdir(join(bench.dir, "blobs/sha256"))).toEqual([]);
  });
});

describe("F34: the image store's disk is full", () => {
  let disk: string;
  beforeEach(async () => {
    bench = await ImageStoreBench.open();
    disk = join(bench.root, "disk");
    await mkdir(disk);
    await runCommand(["mount", "-t", "tmpfs", "-o", "size=24m", "drover-spec", disk]);
    bench.dir = join(disk, "images");
  });
  afterEach(async () => {
    await runCommand(["umount", disk]);
    await bench.close();
  });
  const big = craftImage([contentLayer(randomBytes(8 * MIB))]);

  it("refuses an image that does not fit beside the reserve, and takes it when there is room", async () => {
    await bench.reopen({ reserveBytes: 4 * MIB });
    await writeFile(join(disk, "ballast"), Buffer.alloc(14 * MIB));
    await expect(bench.pullImage(big)).rejects.toMatchObject(full);
    expect(bench.registry.fetchedBlobs()).toEqual([]);
    await rm(join(disk, "ballast"));
    expect(await bench.pullImage(big)).toMatchObject({ digest: big.digest });
  });

  it("refuses to unpack what only fits compressed", async () => {
    await bench.reopen({ reserveBytes: 4 * MIB });
    const zeros = craftImage([contentLayer(Buffer.alloc(21 * MIB))]);
    await expect(bench.pullImage(zeros)).rejects.toMatchObject(full);
    expect(await bench.leftovers()).toEqual([]);
  });

  it("fails cleanly when others fill the disk meanwhile, and keeps what it has", async () => {
    await bench.reopen();
    const small = await bench.pull(bench.registry.publish("by", "v1", craftImage([contentLayer("small")])));
    bench.registry.misbehave = ({ kind }, response, honest) => {
      if (kind !== "blob" || honest.length < MIB) return false;
      void writeFile(join(disk, "ballast"), Buffer.alloc(20 * MIB)).then(() => response.end(honest));
      return true;
    };
    await expect(bench.pullImage(big)).rejects.toMatchObject(full);
    expect(await bench.store.load(small.digest)).toEqual(small);
    expect(await readdir(join(bench.dir, "staging"))).toEqual([]);
    bench.registry.misbehave = () => false;
    await rm(join(disk, "ballast"));
    expect(await bench.pullImage(big)).toMatchObject({ digest: big.digest });
  });
});
