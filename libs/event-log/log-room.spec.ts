import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openConfig } from "#testing";
import type { HostLog } from "./host-log.ts";
import { LogFullError } from "./log-errors.ts";
import { eventsOf, TestLeaf } from "./test-leaf.fixture.ts";

const MIB = 1024 * 1024;

/** A small file system, and a file that takes up all but some of it. */
class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), "drover-small-"));
  readonly #ballast = join(this.path, "ballast");

  constructor(sizeMib: number) {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "drover-test", this.path]);
  }

  leave(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(this.#ballast, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
  }

  clear(): void {
    rmSync(this.#ballast, { force: true });
  }

  remove(): void {
    execFileSync("umount", [this.path]);
    rmSync(this.path, { recursive: true });
  }
}

let disk: SmallDisk;
let leaf: TestLeaf;
beforeEach(async () => {
  disk = new SmallDisk(48);
  leaf = await TestLeaf.start((place) => openConfig({ ...place, storeDir: join(disk.path, "store") }));
});
afterEach(async () => {
  await leaf.stop();
  disk.remove();
});

async function appendMany(log: HostLog, count: number): Promise<PromiseSettledResult<number>[]> {
  return Promise.allSettled(Array.from({ length: count }, () => log.append(leaf.event())));
}

describe("F34: the log's disk is full", () => {
  it("is refused while there is a reserve, loses nothing, and goes on by itself when there is room", async () => {
    const log = await leaf.openLog({ disk: { path: disk.path, reserveBytes: 8 * MIB } });
    await appendMany(log, 100);
    disk.leave(4 * MIB);
    await leaf.clock.sleep(20);
    const refused = await appendMany(log, 10);
    expect(refused.every((one) => one.status === "rejected" && one.reason instanceof LogFullError)).toBe(
      true,
    );
    expect(await eventsOf(log)).toHaveLength(100);
    disk.clear();
    await leaf.clock.sleep(20);
    expect(await log.append(leaf.event())).toBe(101);
  });

  it("fails what was under way cleanly when the disk fills behind our back", async () => {
    const log = await leaf.openLog({
      disk: { path: disk.path, reserveBytes: 8 * MIB },
      ackTimeoutMs: 200,
      maxInFlight: 8,
    });
    await appendMany(log, 50);
    const appends = appendMany(log, 200);
    disk.leave(0);
    const stored = (await appends).flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const lost = (await appends).flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every((reason) => reason instanceof LogFullError)).toBe(true);
    // The server must be started again after a write that failed; nothing acknowledged is missing then.
    disk.clear();
    await leaf.server.restart();
    expect((await eventsOf(log)).map((event) => event.sequence).slice(50)).toEqual(stored);
    expect(await log.append(leaf.event())).toBe(50 + stored.length + 1);
  });

  it("is told as a server that acknowledges nothing where nobody watches the disk", async () => {
    const told: string[] = [];
    const log = await leaf.openLog({ ackTimeoutMs: 100, onStuck: (detail) => told.push(detail) });
    await appendMany(log, 10);
    disk.leave(0);
    const append = log.append({ ...leaf.event(), decision: bulk(9_000) });
    while (told.length === 0) await leaf.clock.sleep(10);
    disk.clear();
    await leaf.server.restart();
    expect(await append).toBe(11);
    expect(await eventsOf(log)).toHaveLength(11);
  });
});

describe("F34: the server has its own limit", () => {
  it("is a full log too, of which nothing acknowledged is lost", async () => {
    const limited = await TestLeaf.start((place) =>
      openConfig(place).replace("sync_interval", "max_file_store: 100000, sync_interval"),
    );
    try {
      const log = await limited.openLog();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 60 }, () => log.append({ ...limited.event(), decision: bulk(4_000) })),
      );
      const stored = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(stored).toEqual(stored.map((_, index) => index + 1));
      expect(stored.length).toBeGreaterThan(5);
      expect(stored.length).toBeLessThan(60);
      const lost = outcomes.slice(stored.length);
      expect(lost.every((one) => one.status === "rejected" && one.reason instanceof LogFullError)).toBe(true);
      expect(await eventsOf(log)).toHaveLength(stored.length);
    } finally {
      await limited.stop();
    }
  });
});

function bulk(size: number) {
  return { command: "Bulk", commandId: "bulk", inputs: { bulk: "x".repeat(size) } };
}
