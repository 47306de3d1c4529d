import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import { resolveInRoot } from "./safe-path.ts";
import { resolveUser } from "./user.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nodd:x:-1:x::/:\n";
const GROUP = "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n";

describe("resolveUser", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "drover-user-"));
    await mkdir(join(root, "etc"));
    await writeFile(join(root, "etc/passwd"), PASSWD);
    await writeFile(join(root, "etc/group"), GROUP);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it.each([
    ["", { uid: 0, gid: 0, additionalGids: [], home: "/root" }],
    ["app", { uid: 1000, gid: 1001, additionalGids: [1002], home: "/home/app" }],
    ["1000", { uid: 1000, gid: 1001, additionalGids: [1002], home: "/home/app" }],
    ["app:extra", { uid: 1000, gid: 1002, additionalGids: [], home: "/home/app" }],
    ["4242", { uid: 4242, gid: 0, additionalGids: [], home: "/" }],
    ["4242:77", { uid: 4242, gid: 77, additionalGids: [], home: "/" }],
  ])("finds %j", async (user, expected) => {
    expect(await resolveUser(root, user)).toEqual(expected);
  });

  it.each(["nobody", "app:nogroup", "odd", "99999999999", "4294967295"])(
    "refuses %j for good",
    async (user) => {
      await expect(resolveUser(root, user)).rejects.toMatchObject({
        name: "TerminalError",
        code: "launch_failed",
      });
    },
  );

  it("needs no passwd for a number", async () => {
    await rm(join(root, "etc"), { recursive: true });
    expect(await resolveUser(root, "12:34")).toMatchObject({ uid: 12, gid: 34 });
  });

  it("follows the image's links inside the image, never into the host", async () => {
    await rm(join(root, "etc/passwd"));
    await symlink("/../../../../../../../usr/lib/passwd", join(root, "etc/passwd"));
    await expect(resolveUser(root, "app")).rejects.toMatchObject({ code: "launch_failed" });
    await mkdir(join(root, "usr/lib"), { recursive: true });
    await writeFile(join(root, "usr/lib/passwd"), PASSWD);
    expect(await resolveUser(root, "app")).toMatchObject({ uid: 1000 });
    await rm(join(root, "etc"), { recursive: true });
    await symlink("/etc", join(root, "etc")); // the host's own would know "daemon"
    await expect(resolveUser(root, "daemon")).rejects.toThrow();
  });

  it("does not wait for a FIFO, nor read a device or a giant", async () => {
    const passwd = join(root, "etc/passwd");
    await rm(passwd);
    await runCommand(["mkfifo", passwd]);
    await expect(resolveUser(root, "app")).rejects.toMatchObject({ code: "launch_failed" });
    await rm(passwd);
    await writeFile(passwd, "x".repeat(1024 * 1024 + 1));
    await expect(resolveUser(root, "app")).rejects.toThrow("bytes");
  });

  it("keeps every path inside the root", async () => {
    await symlink("../../..", join(root, "up"));
    expect(await resolveInRoot(root, "up/up/etc/passwd")).toBe(join(root, "etc/passwd"));
    expect(await resolveInRoot(root, "../../etc/../etc/passwd")).toBe(join(root, "etc/passwd"));
    await symlink("loop", join(root, "loop"));
    await expect(resolveInRoot(root, "loop/x")).rejects.toThrow("too many links");
  });
});
