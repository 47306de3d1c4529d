import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { layerOf, writeOciLayout } from "#testing";
import { runCommand } from "../command.ts";
import type { FaultPoint } from "../fault-point.ts";
import { OciImageStore } from "../images/oci-image-store.ts";
import { mountsUnder, unmountUnder } from "./mounts.ts";
import { OverlayRootfsStore } from "./overlay-rootfs-store.ts";
import { rootfsStoreContract } from "./rootfs-store.contract.ts";

const never = new AbortController().signal;
let home: string;
let images: OciImageStore;
let digests: [string, string];

beforeAll(async () => {
  const clock = new SystemClock();
  // a name that mount options could not carry
  home = await mkdtemp(join(tmpdir(), "drover rootfs:a,b="));
  images = await OciImageStore.open({
    dir: join(home, "images"),
    ids: new SystemIds(clock),
    clock,
    reserveBytes: 0,
  });
  const pull = async (content: string) => {
    const layer = layerOf([
      { kind: "folder", path: "./", mode: 0o1711 },
      { kind: "file", path: "content", content },
    ]);
    const folder = await mkdtemp(join(tmpdir(), "drover-layout-"));
    const { reference } = await writeOciLayout(folder, { layers: [layer] });
    const { digest } = await images.pull(reference, never);
    await rm(folder, { recursive: true });
    return digest;
  };
  digests = [await pull("one"), await pull("two")];
});
afterAll(() => rm(home, { recursive: true }));

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

rootfsStoreContract("overlay", async () => {
  const dir = await mkdtemp(join(home, "machines-"));
  return {
    store: await OverlayRootfsStore.open({ dir, images }),
    images: digests,
    write: (_machineId, path, name, content) => writeFile(join(path, name), content),
    read: (_machineId, path, name) => readIfThere(join(path, name)),
    async use(_machineId, path) {
      const file = await open(join(path, "content"));
      return () => file.close();
    },
    async rebooted() {
      await unmountUnder(dir);
      return OverlayRootfsStore.open({ dir, images });
    },
    async close() {
      await unmountUnder(dir);
      await rm(dir, { recursive: true });
    },
  };
});

describe("overlay rootfs store", () => {
  let dir: string;
  let store: OverlayRootfsStore;
  beforeEach(async () => {
    dir = await mkdtemp(join(home, "machines-"));
    store = await OverlayRootfsStore.open({ dir, images });
  });
  afterEach(async () => {
    await unmountUnder(dir);
    await rm(dir, { recursive: true });
  });
  const prepare = (layerKey: string) => store.prepare("m1", layerKey, digests[0], never);

  it("shows the image's files, and its root's owner and mode, and never writes to the image", async () => {
    const path = await prepare("k1");
    expect(await readFile(join(path, "content"), "utf8")).toBe("one");
    expect((await stat(path)).mode & 0o7777).toBe(0o1711);
    await writeFile(join(path, "content"), "changed");
    expect(await readFile(join(images.rootfsOf(digests[0]), "content"), "utf8")).toBe("one");
  });

  it("honours no device file", async () => {
    const path = await prepare("k1");
    await runCommand(["mknod", join(path, "null"), "c", "1", "3"]);
    await expect(readFile(join(path, "null"))).rejects.toThrow("EACCES");
  });

  it("leaves no mount and no file behind", async () => {
    const path = await prepare("k1");
    await mkdir(join(path, "inner"));
    await runCommand(["mount", "-t", "tmpfs", "drover-spec", join(path, "inner")]);
    await prepare("k2");
    expect(await mountsUnder(dir)).toHaveLength(1);
    await store.remove("m1");
    expect(await mountsUnder(dir)).toEqual([]);
    expect(await readdir(dir)).toEqual([".trash"]);
    expect(await readdir(join(dir, ".trash"))).toEqual([]);
  });

  it("deletes folders nested deeper than a path may be long", async () => {
    const path = await prepare("k1");
    const dig = `p=${"d/".repeat(1000)}; mkdir -p $p && cd $p && mkdir -p $p && cd $p && mkdir -p $p`;
    await runCommand(["sh", "-c", dig], { cwd: path });
    await store.remove("m1");
    expect(await readdir(join(dir, ".trash"))).toEqual([]);
  });

  it("refuses names that lead elsewhere", async () => {
    for (const name of ["..", ".trash", "a/b", ""]) {
      await expect(store.prepare(name, "k1", digests[0], never)).rejects.toMatchObject({
        name: "TerminalError",
      });
      await expect(store.prepare("m1", name, digests[0], never)).rejects.toMatchObject({
        name: "TerminalError",
      });
    }
  });

  it("mounts once in a data folder that is reached through a symlink", async () => {
    const linked = `${dir}-linked`;
    await symlink(dir, linked);
    store = await OverlayRootfsStore.open({ dir: linked, images });
    await prepare("k1");
    expect(await readFile(join(await prepare("k1"), "content"), "utf8")).toBe("one");
    expect(await mountsUnder(dir)).toHaveLength(1);
    await prepare("k2");
    expect(await mountsUnder(linked)).toHaveLength(1);
    await rm(linked);
  });

  it("refuses a data folder on an overlay", async () => {
    const inner = join(await prepare("k1"), "machines");
    await expect(OverlayRootfsStore.open({ dir: inner, images })).rejects.toMatchObject({
      refusal: { code: "unsupported", message: expect.stringContaining("overlay") },
    });
  });

  it("F22: a crash after any of its effects leaves nothing half made, and the next attempt ends as it should", async () => {
    const points: string[] = [];
    await observed((done) => void points.push(done));
    expect(points.length).toBeGreaterThan(6);
    for (let crashAt = 0; crashAt < points.length; crashAt += 1) {
      let effects = 0;
      const crash = observed(() => {
        if (effects++ >= crashAt) throw new Error("crash");
      });
      await expect(crash).rejects.toThrow("crash");
      store = await OverlayRootfsStore.open({ dir, images });
      const path = await prepare("k2");
      expect(await readIfThere(join(path, "note"))).toBeUndefined();
      expect(await readIfThere(join(path, "content"))).toBe("one");
      expect(await readdir(join(dir, "m1"))).toEqual(["k2"]);
      expect(await mountsUnder(dir)).toEqual([path]);
      expect(await readdir(join(dir, ".trash"))).toEqual([]);
      await store.remove("m1");
    }
  });

  /** The whole life of a machine's layers, with a look at each effect. */
  async function observed(faultPoint: FaultPoint): Promise<void> {
    const path = await prepare("k1");
    await writeFile(join(path, "note"), "old");
    const watched = await OverlayRootfsStore.open({ dir, images, faultPoint });
    await watched.prepare("m1", "k2", digests[0], never);
    await watched.remove("m1");
  }

  it("F34: no room for a layer is said as such and passes", async () => {
    const disk = join(dir, "disk");
    await mkdir(disk);
    await runCommand(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=16", "drover-spec", disk]);
    store = await OverlayRootfsStore.open({ dir: join(disk, "machines"), images });
    for (let i = 0; i < 10; i += 1) await writeFile(join(disk, `f${i}`), "").catch(() => {});
    await expect(prepare("k1")).rejects.toMatchObject({ name: "RetryAfterError", code: "disk_full" });
    for (let i = 0; i < 10; i += 1) await rm(join(disk, `f${i}`), { force: true });
    expect(await readFile(join(await prepare("k1"), "content"), "utf8")).toBe("one");
  });
});
