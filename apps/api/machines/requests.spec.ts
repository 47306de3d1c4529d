import { describe, expect, it } from "@jest/globals";
import {
  createMachineSchema,
  destroyQuerySchema,
  eventsQuerySchema,
  listQuerySchema,
  stopMachineSchema,
  waitQuerySchema,
} from "./requests.ts";

describe("a stop's timeout", () => {
  it.each<[unknown, number]>([
    ["5s", 5_000],
    ["1m30s", 90_000],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["0.0001s", 1],
    ["7", 7_000],
    [7, 7_000],
    [0, 0],
    [5_000_000_000, 5_000],
    ["300s", 300_000],
  ])("%p is %i ms", (timeout, timeoutMs) => {
    expect(stopMachineSchema.parse({ timeout }).timeout).toBe(timeoutMs);
  });

  it.each([["301s"], ["6m"], ["soon"], [""], ["-1s"], [-1], [null], [{}]])("is never %p", (timeout) => {
    expect(stopMachineSchema.safeParse({ timeout }).success).toBe(false);
  });

  it("comes with a signal by its name, or with neither", () => {
    expect(stopMachineSchema.parse({ signal: "SIGTERM" })).toEqual({ signal: "SIGTERM" });
    expect(stopMachineSchema.parse({})).toEqual({});
    for (const signal of ["sigterm", "SIGSTOP", 15]) {
      expect(stopMachineSchema.safeParse({ signal }).success).toBe(false);
    }
  });
});

describe("queries", () => {
  it.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
    ["", false],
  ])("read a flag from %p", (text, flag) => {
    expect(destroyQuerySchema.parse({ force: text })).toEqual({ force: flag });
    expect(listQuerySchema.parse({ include_deleted: text }).include_deleted).toBe(flag);
  });

  it("take states one by one, repeated or as a list, and only those that exist", () => {
    const states = (state: unknown) => listQuerySchema.parse({ state }).state;
    expect(states("started")).toEqual(["started"]);
    expect(states("started,stopped")).toEqual(["started", "stopped"]);
    expect(states(["started", "failed,created"])).toEqual(["started", "failed", "created"]);
    expect(listQuerySchema.safeParse({ state: "running" }).success).toBe(false);
  });

  it("wait for started, for a minute, unless told", () => {
    expect(waitQuerySchema.parse({})).toEqual({ state: ["started"], timeout: 60 });
    expect(waitQuerySchema.parse({ state: ["stopped", "destroyed"], timeout: "5" })).toEqual({
      state: ["stopped", "destroyed"],
      timeout: 5,
    });
    for (const wrong of [
      { timeout: "61" },
      { timeout: "0" },
      { timeout: "x" },
      { state: "created" },
      { state: "" },
    ]) {
      expect(waitQuerySchema.safeParse(wrong).success).toBe(false);
    }
  });

  it("show twenty events unless told, fifty at the most", () => {
    expect(eventsQuerySchema.parse({}).limit).toBe(20);
    expect(eventsQuerySchema.parse({ limit: "50" }).limit).toBe(50);
    expect(eventsQuerySchema.safeParse({ limit: "51" }).success).toBe(false);
  });
});

describe("a create", () => {
  const config = { image: "registry.test/app:1" };

  it("needs an image and nothing else; what is not acted upon is kept", () => {
    const kept = { config: { ...config, checks: {} }, lease_ttl: 5 };
    expect(createMachineSchema.parse(kept)).toEqual(kept);
    expect(createMachineSchema.safeParse({ config: {} }).success).toBe(false);
  });

  it.each([["Web"], ["web_1"], ["-web"], ["web-"], [""], ["w".repeat(64)], ["a/b"], ["a.b"]])(
    "is not called %p",
    (name) => {
      expect(createMachineSchema.safeParse({ name, config }).success).toBe(false);
    },
  );
});

describe("a config's services", () => {
  const parse = (services: unknown) =>
    createMachineSchema.safeParse({ config: { image: "hello", services } });

  it("are kept as given, fields that nobody acts on yet among them", () => {
    const services = [
      {
        protocol: "tcp",
        internal_port: 8080,
        ports: [{ port: 443, handlers: ["tls", "http"], tls_options: { alpn: ["h2"] } }],
        concurrency: { type: "requests", soft_limit: 20, hard_limit: 25 },
        autostop: "stop",
        autostart: true,
        min_machines_running: 1,
        checks: [{ type: "tcp" }],
      },
    ];
    expect(parse(services).data?.config.services).toEqual(services);
  });

  it.each([
    [[{}], "services.0.internal_port"],
    [[{ internal_port: 0 }], "services.0.internal_port"],
    [[{ internal_port: 80, ports: [{ port: 70_000 }] }], "services.0.ports.0.port"],
    [[{ internal_port: 80, ports: [{ port: 80, handlers: ["gopher"] }] }], "services.0.ports.0.handlers.0"],
    [[{ internal_port: 80, concurrency: { soft_limit: 2, hard_limit: 1 } }], "services.0.concurrency"],
    [[{ internal_port: 80, autostop: "sometimes" }], "services.0.autostop"],
    [[{ internal_port: 80, min_machines_running: -1 }], "services.0.min_machines_running"],
    [Array.from({ length: 65 }, () => ({ internal_port: 80 })), "services"],
  ])("are refused where a router could not act on them: %#", (services, field) => {
    expect(parse(services).error?.issues[0]?.path.join(".")).toBe(`config.${field}`);
  });
});
