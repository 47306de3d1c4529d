import { describe, expect, it } from "@jest/globals";
import { configOf, type RunFlags } from "./run-config.ts";

const NONE: RunFlags = { app: "web", feature: [], env: [], publish: [], start: true, wait: true };
const config = (flags: Partial<RunFlags>, command: string[] = []) =>
  configOf("nginx:1.27", command, { ...NONE, ...flags });

describe("the config of a machine that is run", () => {
  it("says no more than was asked for", () => {
    expect(config({})).toEqual({ image: "nginx:1.27" });
    expect(config({ entrypoint: "/bin/sh" }, ["-c", "true"])).toMatchObject({
      init: { entrypoint: ["/bin/sh"], cmd: ["-c", "true"] },
    });
  });

  it("has a service for the router where its program listens", () => {
    expect(config({ port: "8080" })).toMatchObject({
      services: [{ internal_port: 8080, ports: [{ port: 80, handlers: ["http"] }] }],
    });
    expect(config({ port: "80", autostop: "stop", autostopAfter: "30s", minRunning: "1" })).toMatchObject({
      services: [{ autostop: "stop", autostop_after: "30s", min_machines_running: 1 }],
    });
  });

  it("says where it shall be", () => {
    const placement = { policy: "pack", features: ["ssd", "gpu"], anti_affinity: "hard" };
    expect(config({ policy: "pack", feature: ["ssd", "gpu"], antiAffinity: "hard" })).toMatchObject({
      placement,
    });
  });

  it.each<[Partial<RunFlags>, RegExp]>([
    [{ port: "http" }, /--port/],
    [{ autostop: "stop" }, /give --port, too/],
    [{ port: "80", minRunning: "-1" }, /--min-running/],
    [{ memory: "1" }, /--memory/],
    [{ env: ["A"] }, /--env: "A" is not NAME=VALUE/],
    [{ publish: ["80"] }, /--publish: "80"/],
  ])("%j is refused by the flag's name", (flags, message) => {
    expect(() => config(flags)).toThrow(message);
  });
});
