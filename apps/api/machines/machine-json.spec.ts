import { describe, expect, it } from "@jest/globals";
import type { MachineConfig } from "#contracts";
import { bornFrom, decideCreate, type Machine } from "#machines";
import { machineJson, machineSummaryJson } from "./machine-json.ts";

const HOST = { hostId: "host-1", status: "ok" } as const;
const CREATED_AT_MS = Date.UTC(2026, 10, 24, 12);

/** A machine that is being created. */
function born(config: MachineConfig): Machine {
  const decision = decideCreate({
    type: "CreateMachine",
    commandId: "create",
    atMs: CREATED_AT_MS,
    origin: "user",
    machineId: "d891234f0a2b3c",
    appName: "hello",
    name: "hello-1",
    region: "local",
    epoch: 1,
    instanceId: "v1",
    config,
    resources: { cpuMillis: 62, memoryMib: 256 },
    ipv4: "10.213.1.0",
    privateIp: "fd00::1",
    skipLaunch: false,
  });
  if (decision.kind !== "accepted" || decision.event.type !== "MachineCreating") throw new Error("not born");
  return bornFrom(decision.event.data);
}

const shown = (machine: Machine) => machineJson(machine, HOST, []);
const imageRef = (image: string, more: Partial<Machine> = {}) =>
  shown({ ...born({ image }), ...more }).image_ref;

describe("machineJson", () => {
  it("has the fields of the Machines API, times as text", () => {
    expect(shown(born({ image: "registry.test/app:1" }))).toMatchObject({
      id: "d891234f0a2b3c",
      name: "hello-1",
      state: "creating",
      region: "local",
      instance_id: "v1",
      private_ip: "fd00::1",
      created_at: "2026-11-24T12:00:00.000Z",
      updated_at: "2026-11-24T12:00:00.000Z",
      host_status: "ok",
      events: [],
    });
  });

  it("shows the config as it was given, with the guest's defaults; nothing is lost", () => {
    const mounts = [{ volume: "vol_0123456789abcdef", path: "/data" }];
    const config = { image: "a", env: { KEY: "value" }, mounts, guest: { cpus: 2 } };
    expect(shown(born(config)).config).toEqual({
      ...config,
      guest: { cpu_kind: "shared", cpus: 2, memory_mb: 256 },
    });
  });

  it.each([
    ["nginx", { registry: "docker.io", repository: "nginx" }],
    ["library/nginx:1.27", { registry: "docker.io", repository: "library/nginx", tag: "1.27" }],
    ["localhost/app", { registry: "localhost", repository: "app" }],
    ["127.0.0.1:5000/team/app:v1", { registry: "127.0.0.1:5000", repository: "team/app", tag: "v1" }],
    ["registry.test/app@sha256:ab", { registry: "registry.test", repository: "app" }],
    ["oci:/srv/images/app:1", { registry: "", repository: "oci:/srv/images/app:1" }],
  ])("takes %s apart", (image, ref) => {
    expect(imageRef(image)).toEqual(ref);
    expect(imageRef(image, { imageDigest: "sha256:00" })).toEqual({ ...ref, digest: "sha256:00" });
  });

  it("I9: says what an unfinished machine waits for, since when, and what went wrong last", () => {
    const machine = born({ image: "a" });
    expect(shown(machine).drover).toMatchObject({
      host: "host-1",
      app: "hello",
      waiting_for: { operation: "create", step: "pull-image", attempt: 1, since: "2026-11-24T12:00:00.000Z" },
    });
    const error = { code: "effect_failed", message: "no way" };
    const operation = { ...machine.operation!, attempts: 1, lastError: error };
    expect(shown({ ...machine, operation }).drover).toMatchObject({
      waiting_for: { attempt: 2, last_error: error },
    });
  });

  it("says of a machine at rest why it is where it is", () => {
    const { operation: _, ...rest } = born({ image: "a" });
    const exit = {
      exit_code: 7,
      guest_signal: -1,
      oom_killed: false,
      requested_stop: false,
      exited_at_ms: 1,
    };
    const error = { code: "image_not_found", message: "gone" };
    const { drover } = shown({ ...rest, state: "failed", lastExit: exit, error });
    expect(drover).toMatchObject({ last_exit: exit, error });
    expect(drover).not.toHaveProperty("waiting_for");
  });
});

describe("machineSummaryJson", () => {
  it("leaves out config, events and the host's status, nothing else", () => {
    const machine = born({ image: "a" });
    const { config: _, events: __, host_status: ___, ...rest } = shown(machine);
    expect(machineSummaryJson(machine, HOST)).toEqual(rest);
  });
});
