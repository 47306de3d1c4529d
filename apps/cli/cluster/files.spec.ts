import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { canonical, makeFolder, readIfThere, writeFileAtomic } from "./files.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "drover-files-")));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("a file written whole", () => {
  it("has its mode from the beginning, and says whether it changed", async () => {
    const file = join(folder, "a/b/secret");
    expect(await writeFileAtomic(file, "one", 0o600)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "a"))).mode & 0o777).toBe(0o700);
    const { ino } = await stat(file);
    expect(await writeFileAtomic(file, "one", 0o600)).toBe(false);
    expect((await stat(file)).ino).toBe(ino);
    expect(await writeFileAtomic(file, "two", 0o600)).toBe(true);
    expect(await readdir(join(folder, "a/b"))).toEqual(["secret"]);
  });

  it("takes the place of a temporary one that a crash left", async () => {
    const file = join(folder, "x");
    await writeFile(`${file}.tmp`, "half", { mode: 0o644 });
    await writeFileAtomic(file, "whole", 0o600);
    expect(await readFile(file, "utf8")).toBe("whole");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("is read when it is there", async () => {
    expect(await readIfThere(join(folder, "none"))).toBeUndefined();
    await expect(readIfThere(folder)).rejects.toMatchObject({ code: "EISDIR" });
  });
});

describe("a folder", () => {
  it("is made with those it is in, and may be there already", async () => {
    await makeFolder(join(folder, "a/b/c"));
    await makeFolder(join(folder, "a/b/c"));
    expect((await stat(join(folder, "a/b/c"))).isDirectory()).toBe(true);
  });

  it("is refused at once where none can be", async () => {
    await expect(makeFolder("/proc/drover-spec/x")).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(folder, "file/x"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it("has one name, whatever links lead to it and whether it is there yet", async () => {
    await mkdir(join(folder, "real"));
    await symlink("real", join(folder, "link"));
    await symlink("missing/deep", join(folder, "dangling"));
    expect(canonical(join(folder, "link"))).toBe(join(folder, "real"));
    expect(canonical(join(folder, "link/new/er"))).toBe(join(folder, "real/new/er"));
    expect(canonical(join(folder, "dangling"))).toBe(join(folder, "missing/deep"));
  });

  it("that goes round in links ends somewhere", async () => {
    await symlink("b", join(folder, "a"));
    await symlink("a", join(folder, "b"));
    expect(canonical(join(folder, "a/x"))).toMatch(/[ab]\/x$/);
  });
});
