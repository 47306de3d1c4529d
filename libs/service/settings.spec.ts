import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { listenSchema, readSettings } from "./settings.ts";

const schema = z.strictObject({ listen: listenSchema });
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-settings-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = join(folder, "settings.json");
  await writeFile(file, text);
  return readSettings(["node", "main.js", "--config", file], schema);
}

describe("readSettings", () => {
  it("reads what matches", async () => {
    const listen = { host: "127.0.0.1", port: 80 };
    expect(await read(JSON.stringify({ listen }))).toEqual({ listen });
  });

  it("names the wrong field in one line", async () => {
    await expect(read('{"listen":{"host":"a","port":0}}')).rejects.toThrow(/settings\.json: listen\.port: /);
  });

  it("says that it is not JSON", async () => {
    await expect(read("{")).rejects.toThrow(/is not JSON/);
  });

  it("asks for the file", async () => {
    await expect(readSettings(["node", "main.js"], schema)).rejects.toThrow(/--config FILE/);
  });
});
