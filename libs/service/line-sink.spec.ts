import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { LineSink } from "./line-sink.ts";

let folder = "";
let fd = -1;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-log-"));
  fd = openSync(join(folder, "log"), "a");
});
afterEach(async () => {
  closeSync(fd);
  await rm(folder, { recursive: true });
});

const logged = () => readFileSync(join(folder, "log"), "utf8");

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done, 5));
}

describe("LineSink", () => {
  it("writes every line, in order", async () => {
    const sink = new LineSink(fd);
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`);
    for (const line of lines) sink.write(line);
    await until(() => logged().length >= lines.join("").length);
    expect(logged()).toBe(lines.join(""));
  });

  it("writes what still waits when the process ends", () => {
    const sink = new LineSink(fd);
    sink.write("last words\n");
    sink.flushSync();
    expect(logged()).toBe("last words\n");
  });

  it("F44: drops what a full disk does not take, and goes on when there is room, saying how much it lost", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    const small = openSync(join(folder, "log"), "a");
    const filler = join(folder, "filler");
    try {
      expect(() => writeFileSync(filler, Buffer.alloc(128 * 1024))).toThrow(/ENOSPC/);
      const sink = new LineSink(small);
      sink.write("lost\n");
      await new Promise((done) => setTimeout(done, 50));
      rmSync(filler);
      while (!logged().includes("dropped")) {
        sink.write("kept\n");
        await new Promise((done) => setTimeout(done, 5));
      }
      expect(logged()).toContain('"log lines were dropped","count":1}');
      expect(logged()).not.toContain("lost");
    } finally {
      closeSync(small);
      execFileSync("umount", [folder]);
    }
  });
});
