import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type MachineConfig, type RecordedEvent, VOCABULARY } from "#contracts";
import { SimulatedFleet } from "#testing";
import { World } from "#timeline";
import { baseOf } from "./archive/base-parts.ts";
import { redact } from "./redact.ts";
import { redecide } from "./redecide/redecide.ts";

interface Hidden {
  readonly env: string;
  readonly file: string;
  readonly argument: string;
  readonly password: string;
  readonly note: string;
  readonly header: string;
  readonly unknown: string;
}

function configWith(hidden: Hidden): MachineConfig {
  return {
    image: `bob:${hidden.password}@registry.example/hello:1`,
    env: { TOKEN: hidden.env, PLAIN: "yes" },
    init: { exec: ["/bin/server", "--key", hidden.argument], cmd: [hidden.argument] },
    metadata: { note: hidden.note },
    files: [{ guest_path: "/etc/key", raw_value: hidden.file }],
    services: [{ internal_port: 80, checks: [{ headers: [{ name: "X-Key", values: [hidden.header] }] }] }],
    extension: { deep: [{ dbPassword: hidden.unknown }] },
  };
}

/** A machine with secrets everywhere, which quotes them when it fails, moves to another log and is updated. */
function keepsSecrets(hidden: Hidden): RecordedEvent[] {
  const fleet = new SimulatedFleet(2);
  fleet.join("h1");
  const described = { appName: "hello", name: "m", instanceId: "v1", skipLaunch: false, origin: "user" };
  const placed = { reservationId: "r1", machineId: "m1", epoch: 1 };
  const config = configWith(hidden);
  fleet.decideHost("h1", { type: "CommitMachine", ...placed, ...described, config });
  const operationId = fleet.host("h1").machines.get("m1")!.operation!.id;
  const error = { code: "effect_failed", message: `cannot run /bin/server --key ${hidden.argument}` };
  const outcome = { kind: "retry", error } as const;
  fleet.command("h1", "m1", { type: "RecordStep", origin: "operation", operationId, outcome });
  fleet.settle("h1", "m1");
  const update = {
    instanceId: "v2",
    config: { ...config, workdir: `/home/${hidden.env}` },
    skipLaunch: true,
  };
  fleet.command("h1", "m1", { type: "UpdateMachine", origin: "user", ...update });
  fleet.replaceLog("h1");
  const token = { tokenId: "t1", name: "ci", secretHash: "ab".repeat(32), atMs: 1 };
  fleet.decideControl({ type: "CreateToken", ...token });
  const claim = { keyHash: "cd".repeat(32), requestHash: "ef".repeat(32), machineId: "m1", commandId: "c1" };
  fleet.decideControl({ type: "ClaimIdempotencyKey", ...claim, atMs: 1 });
  return fleet.events();
}

const secret = fc
  .string({ minLength: 6, maxLength: 40 })
  .filter((text) => !text.includes("redacted") && !/^[\s\d.]*$/.test(text))
  // As it would be in JSON: nothing of the schema, no id of the simulation, reads like that.
  .map((text) => `§${text.replaceAll("\0", "")}`);
const anyHidden: fc.Arbitrary<Hidden> = fc.record({
  env: secret.map((text) => `${text}-env`),
  file: secret,
  argument: secret,
  password: fc.stringMatching(/^[A-Za-z0-9!$%]{8,20}$/),
  note: secret,
  header: secret,
  unknown: secret,
});
const HIDDEN: Hidden = {
  ...{ env: "s3cr3t-env", file: "c2VjcmV0LWZpbGU=", argument: "s3cr3t-argument", password: "hunter2!" },
  ...{ note: "s3cr3t-note", header: "s3cr3t-header", unknown: "s3cr3t-unknown" },
};

describe("redact", () => {
  it("leaves no secret anywhere, in events, decisions or states", () => {
    fc.assert(
      fc.property(anyHidden, (hidden) => {
        const events = keepsSecrets(hidden);
        const world = new World();
        for (const event of events) world.apply(event);
        const { events: redacted, base } = redact({ events, base: baseOf(world) });
        const texts = [...textsOf(redacted), ...textsOf(base)];
        for (const one of [...Object.values(hidden), "ab".repeat(32), "cd".repeat(32), "ef".repeat(32)]) {
          expect(texts.filter((text) => text.includes(one))).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps events that are events still, and come to the same decisions", () => {
    const { events } = redact({ events: keepsSecrets(HIDDEN) });
    const world = new World();
    for (const event of events) {
      expect(VOCABULARY.schemaOf(event.type)!.safeParse(event.data).error).toBeUndefined();
      expect(redecide(event, world).kind).toBe("same");
      expect(world.apply(event)).toBeUndefined();
    }
  });

  it("keeps equal what was equal, and the program's name", () => {
    const { events, replaced } = redact({ events: keepsSecrets(HIDDEN) });
    const [created, updated] = ["MachineCreating", "MachineUpdating"].map(
      (type) => events.find((event) => event.type === type)!.data as { config: MachineConfig },
    );
    expect(created!.config.env).toEqual(updated!.config.env);
    expect(created!.config.env).not.toMatchObject({ PLAIN: "yes" });
    expect(created!.config.init!.exec![0]).toBe("/bin/server");
    expect(created!.config.init!.exec![2]).toBe(created!.config.init!.cmd![0]);
    expect(updated!.config.workdir).toBe(`/home/${updated!.config.env!.TOKEN}`);
    expect(created!.config.image).toMatch(/^redacted-\d+@registry\.example\/hello:1$/);
    const claimed = events.find(({ type }) => type === "IdempotencyKeyClaimed")!;
    expect(claimed.subject.endsWith((claimed.data as { keyHash: string }).keyHash)).toBe(true);
    expect(replaced).toBeGreaterThan(8);
  });

  it("changes nothing in place, and is the same each time", () => {
    const events = keepsSecrets(HIDDEN);
    const before = structuredClone(events);
    const once = redact({ events });
    expect(events).toEqual(before);
    expect(redact({ events })).toEqual(once);
    // What has been redacted holds nothing that is told apart any more.
    expect(redact({ events: once.events }).replaced).toBe(once.replaced);
  });

  it("leaves a secret that reads like a word of the log where it is none", () => {
    const { events } = redact({ events: keepsSecrets({ ...HIDDEN, env: "released" }) });
    const world = new World();
    for (const event of events) {
      expect(VOCABULARY.schemaOf(event.type)!.safeParse(event.data).success).toBe(true);
      world.apply(event);
    }
    expect(events.find(({ type }) => type === "MachineCreating")!.data).toMatchObject({
      config: { env: { TOKEN: expect.stringMatching(/^redacted-/) } },
    });
  });
});

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member)]);
}
