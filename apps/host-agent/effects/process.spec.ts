import { describe, expect, it } from "@jest/globals";
import type { MachineConfig } from "#contracts";
import { bornFrom } from "#machines";
import type { ImageConfig } from "#runtime";
import { processOf } from "./process.ts";

const image: ImageConfig = {
  env: { PATH: "/image/bin", LANG: "C" },
  entrypoint: ["/entry"],
  cmd: ["serve"],
  workingDir: "/srv",
  user: "www",
};

function machine(config: Partial<MachineConfig> = {}) {
  return bornFrom({
    machineId: "6e82dd0a123456",
    operation: { id: "OP", kind: "create", steps: [], startedAtMs: 0 },
    appName: "hello",
    name: "hello-1",
    region: "local",
    epoch: 1,
    instanceId: "01VERSION",
    config: { image: "hello:1", ...config },
    resources: { cpuMillis: 62, memoryMib: 512 },
    ipv4: "10.213.1.0",
    privateIp: "fd00::1",
    skipLaunch: false,
    createdAtMs: 0,
  });
}

const argsWith = (init: MachineConfig["init"], of: Partial<ImageConfig> = {}) =>
  processOf(machine({ init }), "host-a", { ...image, ...of }).args;

describe("processOf", () => {
  it.each([
    ["what the image says", undefined, ["/entry", "serve"]],
    ["another cmd for the image's entrypoint", { cmd: ["work"] }, ["/entry", "work"]],
    ["no arguments when the cmd is emptied", { cmd: [] }, ["/entry"]],
    ["an entrypoint of its own without the image's arguments", { entrypoint: ["/own"] }, ["/own"]],
    ["entrypoint and cmd of its own", { entrypoint: ["/own"], cmd: ["x"] }, ["/own", "x"]],
    [
      "exec in place of everything",
      { exec: ["/bin/sh", "-c", "true"], cmd: ["x"] },
      ["/bin/sh", "-c", "true"],
    ],
    ["the image's word where null is given", { entrypoint: null, cmd: null }, ["/entry", "serve"]],
  ])("runs %s", (_, init, args) => {
    expect(argsWith(init)).toEqual(args);
  });

  it("refuses for good when nothing says what to run", () => {
    expect(() => argsWith(undefined, { entrypoint: [], cmd: [] })).toThrow(
      expect.objectContaining({ code: "launch_failed" }),
    );
  });

  it("lets the machine's environment go over the image's, and Drover's own over both", () => {
    const { env } = processOf(machine({ env: { LANG: "de", FLY_APP_NAME: "forged" } }), "host-a", image);
    expect(env).toEqual({
      PATH: "/image/bin",
      LANG: "de",
      FLY_APP_NAME: "hello",
      FLY_MACHINE_ID: "6e82dd0a123456",
      FLY_ALLOC_ID: "6e82dd0a123456",
      FLY_REGION: "local",
      FLY_PRIVATE_IP: "fd00::1",
      FLY_IMAGE_REF: "hello:1",
      FLY_MACHINE_VERSION: "01VERSION",
      FLY_VM_MEMORY_MB: "512",
      DROVER_HOST: "host-a",
    });
  });

  it("gives a PATH where nobody does, and names the process group", () => {
    const { env } = processOf(machine({ metadata: { fly_process_group: "web" } }), "host-a", {
      ...image,
      env: {},
    });
    expect(env).toMatchObject({ PATH: expect.stringContaining("/usr/bin"), FLY_PROCESS_GROUP: "web" });
  });

  it("takes folder and user from the image unless the machine has its own", () => {
    expect(processOf(machine(), "host-a", image)).toMatchObject({ cwd: "/srv", user: "www", tty: false });
    const own = processOf(machine({ workdir: "/w", user: "1:2", init: { tty: true } }), "host-a", image);
    expect(own).toMatchObject({ cwd: "/w", user: "1:2", tty: true });
  });
});
