import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { httpServer, type OciLayout, writeOciLayout } from "#small-image";
import { type Registry, startRegistry } from "./registry.ts";
import { toolPath } from "./tool.ts";

const run = promisify(execFile);

let folder: string;
let layout: OciLayout;
let registry: Registry;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-oci-"));
  layout = await writeOciLayout(join(folder, "layout"), httpServer("hello"));
  registry = await startRegistry();
});
afterEach(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

async function digestOf(reference: string): Promise<string> {
  const words = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${reference}`];
  return (await run(toolPath("skopeo"), words)).stdout.trim();
}

async function pull(reference: string): Promise<void> {
  const target = `oci:${join(folder, "pulled")}:image`;
  const words = ["copy", "--insecure-policy", "--quiet", "--src-tls-verify=false"];
  await run(toolPath("skopeo"), [...words, `docker://${reference}`, target]);
}

describe("startRegistry", () => {
  it("serves what was pushed, by tag and by digest, and still does after a kill", async () => {
    const { reference, pinned } = await registry.push(layout, "demo/hello:1");
    expect(reference).toBe(`${registry.address}/demo/hello:1`);
    expect(await digestOf(reference)).toBe(layout.digest);
    expect(await digestOf(pinned)).toBe(layout.digest);
    await registry.kill();
    await expect(digestOf(reference)).rejects.toThrow(/connection refused/);
    await registry.start();
    expect(await digestOf(reference)).toBe(layout.digest);
  });

  it("lies when told to, and skopeo sees it", async () => {
    const { reference } = await registry.push(layout, "hello:1");
    await registry.corrupt(layout.layers[0]!.digest);
    await expect(pull(reference)).rejects.toThrow(/Digest did not match/);
  });

  it("holds its answers back until it is resumed", async () => {
    const { reference } = await registry.push(layout, "hello:1");
    registry.pause();
    const answer = digestOf(reference);
    const first = await Promise.race([answer, new Promise((done) => setTimeout(done, 200, "nothing yet"))]);
    expect(first).toBe("nothing yet");
    registry.resume();
    expect(await answer).toBe(layout.digest);
  });
});
