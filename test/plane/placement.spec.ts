import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readControl } from "#event-log";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { type Answer, Plane, pause } from "./plane.ts";

/** Room for ten machines of the default size, and two volumes of 5 GB. */
const CAPACITY = { cpuMillis: 100_000, memoryMib: 2_560, volumeMib: 10_240 };

/** For so long the scheduler may count an offer that a bid shows already: see `OffersUnderWay`. */
const FORGOTTEN_MS = 100;

let plane: Plane;
beforeAll(async () => {
  const own = {
    "ams-1": { region: "ams" },
    "ams-2": { region: "ams", features: ["container", "ssd"] },
    "fra-1": { region: "fra", features: ["container", "ssd", "arch=arm64"] },
  };
  plane = await Plane.start(Object.keys(own), { capacity: CAPACITY }, own);
}, 60_000);
afterAll(() => plane.stop());

interface Refused {
  readonly status: string;
  readonly error: string;
  readonly details: { readonly hosts: readonly { readonly hostId: string; readonly message: string }[] };
}

let apps = 0;
/** Each case has an app of its own, and takes its machines away again. */
async function inApp(act: (create: typeof createIn) => Promise<void>): Promise<void> {
  apps += 1;
  const app = `app-${apps}`;
  await plane.ask("POST", "/v1/apps", { name: app });
  const made: string[] = [];
  await act(async <T>(body: Record<string, unknown>, config?: object) => {
    const answer = await createIn<T>({ app, ...body }, config);
    if (answer.status === 200) made.push((answer.body as unknown as ShownMachine).id);
    return answer;
  }).finally(async () => {
    await Promise.all(made.map((id) => plane.ask("DELETE", `/v1/apps/${app}/machines/${id}?force=true`)));
    while (machinesOf(app) > 0) await pause();
  });
}

function machinesOf(app: string): number {
  return plane.hosts.reduce((sum, { state }) => sum + (state.holdings.machinesOfApp.get(app) ?? 0), 0);
}

function createIn<T = ShownMachine>(
  { app, ...body }: Record<string, unknown>,
  config: object = {},
): Promise<Answer<T>> {
  return plane.ask<T>("POST", `/v1/apps/${app}/machines`, { ...body, config: { image: IMAGE, ...config } });
}

/** Asks for a placement in the machine's config. */
const placed = (placement: object) => ({ placement });

const hostOf = ({ body }: Answer<ShownMachine>) => body.drover.host;

describe("a machine's place", () => {
  it(
    "is in the first of its regions that has room; any means all others",
    () =>
      inApp(async (create) => {
        expect(hostOf(await create({ region: "fra" }))).toBe("fra-1");
        expect(hostOf(await create({ region: "nowhere,fra" }))).toBe("fra-1");
        expect(hostOf(await create({ region: "ams,any" }))).toMatch(/^ams/);
        const large = await create({ region: "fra,any" }, { guest: { memory_mb: 2_400 } });
        expect(large.body).toMatchObject({ region: "ams" });
        expect((await create({ region: "fra,," })).status).toBe(400);
      }),
    60_000,
  );

  it(
    "has what the machine needs; else each host says what it lacks (F09)",
    () =>
      inApp(async (create) => {
        expect(hostOf(await create({ region: "ams" }, placed({ features: ["ssd"] })))).toBe("ams-2");
        expect(hostOf(await create({ region: "ams,fra" }, placed({ features: ["arch=arm64", "ssd"] })))).toBe(
          "fra-1",
        );
        const { status, body } = await create<Refused>(
          { region: "ams" },
          placed({ features: ["arch=arm64"] }),
        );
        expect({ status, code: body.status }).toEqual({ status: 422, code: "insufficient_capacity" });
        expect(body.details.hosts.map(({ message }) => message).sort()).toEqual([
          "host ams-1 lacks arch=arm64: it has container",
          "host ams-2 lacks arch=arm64: it has container, ssd",
        ]);
        expect((await create({}, placed({ feature: "ssd" }))).status).toBe(400);
      }),
    60_000,
  );

  it(
    "is apart from machines of its app: where that can be, or everywhere, also when they are made at once",
    () =>
      inApp(async (create) => {
        const soft = await Promise.all([create({ region: "ams" }), create({ region: "ams" })]);
        expect(soft.map(hostOf).sort()).toEqual(["ams-1", "ams-2"]);
        const hard = await create<Refused>({ region: "ams" }, placed({ anti_affinity: "hard" }));
        expect(hard.body.status).toBe("insufficient_capacity");
        for (const hostId of ["ams-1", "ams-2"]) {
          expect(hard.body.error).toContain(`host ${hostId} has a machine of app app-${apps}`);
        }
        await inApp(async (createHere) => {
          const place = { region: "ams,fra" };
          const at = () => createHere(place, placed({ anti_affinity: "hard" }));
          const answers = await Promise.all([at(), at(), at(), at(), at()]);
          const made = answers.filter(({ status }) => status === 200);
          expect(made.map(hostOf).sort()).toEqual(["ams-1", "ams-2", "fra-1"]);
        });
      }),
    60_000,
  );

  it(
    "is close to others when it is packed: one host fills up before the next one is begun",
    () =>
      inApp(async (create) => {
        const first = hostOf(await create({ region: "ams" }, placed({ policy: "pack" })));
        const hosts: string[] = [];
        for (let n = 0; n < 10; n += 1) {
          await pause(FORGOTTEN_MS);
          hosts.push(hostOf(await create({ region: "ams" }, placed({ policy: "pack" }))));
        }
        expect(hosts.filter((hostId) => hostId === first)).toHaveLength(9);
      }),
    60_000,
  );

  it(
    "is decided for everybody to read: wish, bids, scores, chance, and who said no",
    () =>
      inApp(async (create) => {
        const { body } = await create({ region: "ams,fra" }, placed({ features: ["ssd"] }));
        const decisions: unknown[] = [];
        for await (const { event } of controlEvents()) {
          if (event.type === "PlacementDecided" && event.data.machineId === body.id)
            decisions.push(event.data);
        }
        expect(decisions).toMatchObject([
          {
            hostId: "ams-2",
            region: "ams",
            wish: { regions: "ams,fra", policy: "spread", antiAffinity: "soft", features: ["ssd"] },
            candidates: [
              {
                hostId: "ams-2",
                score: 0.9,
                random: expect.any(Number),
                bid: { capacity: CAPACITY, appMachineCount: 0 },
              },
            ],
            refusals: [{ hostId: "ams-1", code: "unsupported" }],
          },
        ]);
      }),
    60_000,
  );
});

describe("a volume's place", () => {
  it(
    "is where most room for volumes is, decided for everybody to read; its machine's is beside it",
    () =>
      inApp(async (create) => {
        const volumes = `/v1/apps/app-${apps}/volumes`;
        const make = async () => {
          const body = { name: "data", region: "ams", size_gb: 5 };
          return (await plane.ask<{ id: string; zone: string }>("POST", volumes, body)).body;
        };
        const first = await make();
        await pause(FORGOTTEN_MS);
        const second = await make();
        expect([first.zone, second.zone].sort()).toEqual(["ams-1", "ams-2"]);
        const mounts = [{ volume: first.id, path: "/data" }];
        const machine = await create({}, { mounts });
        expect(hostOf(machine)).toBe(first.zone);
        const decisions: unknown[] = [];
        for await (const { event } of controlEvents()) {
          if (event.type === "VolumePlacementDecided" && event.data.volumeId === second.id)
            decisions.push(event.data);
          if (event.type === "PlacementDecided" && event.data.machineId === machine.body.id)
            decisions.push(event.data);
        }
        expect(decisions).toMatchObject([
          {
            hostId: second.zone,
            region: "ams",
            candidates: [
              { hostId: second.zone, score: 0.5, bid: { free: { volumeMib: 10_240 } } },
              { hostId: first.zone, score: 0, bid: { free: { volumeMib: 5_120 } } },
            ],
          },
          { hostId: first.zone, region: "ams", candidates: [], refusals: [] },
        ]);
      }),
    60_000,
  );
});

async function* controlEvents() {
  for await (const read of readControl(plane.hub)) if (read.kind === "event") yield read;
}

describe("the platform", () => {
  it("knows its regions", async () => {
    const { body } = await plane.ask<{ nearest: string; regions: { code: string }[] }>(
      "GET",
      "/v1/platform/regions",
    );
    expect(body.nearest).toBe("local");
    expect(body.regions.map(({ code }) => code)).toEqual(["ams", "fra", "local"]);
  });

  it("tells how many machines would find a place, in which region", async () => {
    const ask = (body: object) =>
      plane.ask<{ regions: { region: string; count: number; concurrency: number }[] }>(
        "POST",
        "/v1/platform/placements",
        { org_slug: "personal", compute: { memory_mb: 512 }, ...body },
      );
    expect((await ask({ region: "ams,fra" })).body.regions).toEqual([
      { region: "ams", count: 10, concurrency: 2 },
      { region: "fra", count: 5, concurrency: 1 },
    ]);
    expect((await ask({ region: "fra,any", count: 7 })).body.regions).toEqual([
      { region: "fra", count: 5, concurrency: 1 },
      { region: "ams", count: 2, concurrency: 2 },
    ]);
    expect(
      (await ask({ region: "ams,fra", count: 4, weights: { region: 0, spread: 1 } })).body.regions,
    ).toEqual([
      { region: "ams", count: 2, concurrency: 2 },
      { region: "fra", count: 2, concurrency: 1 },
    ]);
    expect((await ask({ region: "*" })).status).toBe(400);
  });
});
