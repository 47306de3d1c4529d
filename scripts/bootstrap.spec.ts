import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const SCRIPTS = fileURLToPath(new URL(".", import.meta.url));

/** A checkout with nothing in it but the scripts and what a test writes. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "drover-bootstrap-"));
  cpSync(SCRIPTS, join(root, "scripts"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** Runs shell text with the scripts sourced, as ./drover does. */
function shell(text: string): { readonly code: number | null; readonly out: string } {
  const sourced =
    'set -eu; . "$root/scripts/ready.sh"; . "$root/scripts/set-up.sh"; . "$root/scripts/debian.sh"';
  const done = spawnSync(
    "sh",
    ["-c", `${sourced}; . "$root/scripts/nats-server.sh"; mkdir -p "$tools/bin"; ${text}`],
    {
      env: { PATH: process.env.PATH, root },
      encoding: "utf8",
    },
  );
  return { code: done.status, out: done.stdout.trim() };
}

describe("what ./drover checks each time", () => {
  it("takes packages for installed only when the stamp is the lock and node is there", () => {
    write("package-lock.json", "one");
    expect(shell("ready packages").code).toBe(1);
    write("node_modules/.drover-lock", "one");
    expect(shell("ready packages").code).toBe(1);
    write(".drover/tools/bin/node", "", 0o755);
    expect(shell("ready packages").code).toBe(0);
    write("package-lock.json", "two");
    expect(shell("ready packages").code).toBe(1);
  });

  it("takes a build for current by the sources' content, whatever the clock says (F20)", () => {
    for (const file of ["package-lock.json", "package.json", "tsconfig.json", "tsconfig.build.json"])
      write(file, "{}");
    write("libs/a/x.ts", "1");
    write("dist/.sources", shell("sources").out);
    expect(shell("ready_build").code).toBe(0);
    utimesSync(join(root, "libs/a/x.ts"), 2e9, 2e9);
    write("libs/a/x.spec.ts", "a spec is not built");
    expect(shell("ready_build").code).toBe(0);
    write("libs/a/x.ts", "2");
    utimesSync(join(root, "libs/a/x.ts"), 1, 1);
    expect(shell("ready_build").code).toBe(1);
    write("libs/a/x.ts", "1");
    write("libs/a/y.ts", "");
    expect(shell("ready_build").code).toBe(1);
  });

  it("takes a tool for ready only once its version is written down", () => {
    write(".drover/tools/bin/busybox", "", 0o755);
    expect(shell("ready_tool busybox").code).toBe(1);
    write(".drover/tools/versions/busybox", "1.35");
    expect(shell("ready_tool busybox").code).toBe(0);
  });
});

describe("nats-server", () => {
  it.each([
    ["2.9.10", 1],
    ["2.11.99", 1],
    ["2.12.0", 0],
    ["2.15.1", 0],
    ["3.0.0", 0],
  ])("%s is new enough: %d", (version, code) => {
    write("nats-server", `#!/bin/sh\necho "nats-server: v${version}"\n`, 0o755);
    expect(shell('new_enough "$root/nats-server"').code).toBe(code);
  });

  it("that cannot run is none", () => {
    write("nats-server", "#!/bin/sh\nexit 1\n", 0o755);
    expect(shell('new_enough "$root/nats-server"').code).toBe(1);
    expect(shell('new_enough "$root/missing"').code).toBe(1);
  });

  it("in place is adopted, and its version written down", () => {
    write(".drover/tools/bin/nats-server", '#!/bin/sh\necho "nats-server: v2.14.2"\n', 0o755);
    write(".drover/tools/versions/x", "");
    expect(shell("adopt_nats_server && ready_tool nats-server && cat $tools/versions/nats-server")).toEqual({
      code: 0,
      out: "nats-server: v2.14.2",
    });
  });
});

describe("node_modules", () => {
  const lock = (packages: Record<string, object>) => JSON.stringify({ packages: { "": {}, ...packages } });
  const inLine = () =>
    spawnSync(process.execPath, [join(root, "scripts/in-line.mjs"), root], { encoding: "utf8" });

  it.each<[string, Record<string, object>, Record<string, object>, string]>([
    ["has all", { "node_modules/a": { version: "1" } }, { "node_modules/a": { version: "1" } }, ""],
    ["lacks one", { "node_modules/a": { version: "1" } }, {}, "node_modules/a is missing, the lock says 1\n"],
    [
      "has another version",
      { "node_modules/a": { version: "1" } },
      { "node_modules/a": { version: "2" } },
      "node_modules/a is 2, the lock says 1\n",
    ],
    [
      "lacks one for another platform",
      { "node_modules/a": { version: "1", optional: true, os: "darwin" } },
      {},
      "",
    ],
    [
      "lacks an optional one for this platform",
      { "node_modules/a": { version: "1", optional: true, os: ["linux"] } },
      {},
      "node_modules/a is missing, the lock says 1\n",
    ],
  ])("that %s", (_name, wanted, laid, found) => {
    write("package-lock.json", lock(wanted));
    write("node_modules/.package-lock.json", lock(laid));
    const { status, stdout } = inLine();
    expect({ status, stdout }).toEqual({ status: found === "" ? 0 : 1, stdout: found });
  });

  it("that was never laid down is not in line", () => {
    write("package-lock.json", lock({}));
    expect(inLine().status).toBe(1);
  });
});
