import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { HUB_SHORE, Islands, type ShownMachine } from "#testing";
import { type Answer, Plane } from "../plane/plane.ts";
import { assertTyped, insistOn } from "../plane/sure-create.ts";
import { IMAGE } from "../simulation/host-world.ts";

const HOSTS = ["host-a", "host-b"];
const APP = "/v1/apps/app";

interface ShownVolume {
  readonly id: string;
  readonly zone: string;
  readonly attached_machine_id: string | null;
}

let islands: Islands;
let plane: Plane;
beforeAll(async () => {
  islands = await Islands.make(HOSTS);
  plane = await Plane.start(HOSTS, {}, { "host-a": { region: "a" }, "host-b": { region: "b" } }, islands);
  await plane.ask("POST", "/v1/apps", { name: "app" });
}, 60_000);
afterAll(async () => {
  await plane.stop();
  await islands.remove();
}, 60_000);

async function volumeIn(region: string): Promise<string> {
  const body = { name: "data", region, size_gb: 1 };
  const made = await plane.ask<ShownVolume>("POST", `${APP}/volumes`, body);
  expect(made).toMatchObject({ status: 200, body: { zone: `host-${region}` } });
  return made.body.id;
}

function mount(volume: string): Promise<Answer<ShownMachine>> {
  const config = { image: IMAGE, mounts: [{ volume, path: "/data" }] };
  return plane.ask<ShownMachine>("POST", `${APP}/machines`, { config }, { "idempotency-key": volume });
}

async function cutOff(hostId: string): Promise<() => Promise<unknown>> {
  const heals = await Promise.all([islands.cut(hostId, HUB_SHORE), islands.cut(HUB_SHORE, hostId)]);
  return () => Promise.all(heals.map((heal) => heal()));
}

describe("F37: a volume whose host is cut off", () => {
  it("is attached to nobody meanwhile: who asks hears so in time, and after the heal has it, once", async () => {
    const [here, elsewhere] = [await volumeIn("a"), await volumeIn("b")];
    const heal = await cutOff("host-a");
    const refused = await mount(here);
    expect(refused).toMatchObject({ status: 503, body: { status: "unreachable" } });
    assertTyped(refused);
    expect((refused.body as unknown as { error: string }).error).toContain(`host-a, where volume ${here} is`);
    const extended = await plane.ask("PUT", `${APP}/volumes/${here}/extend`, { size_gb: 2 });
    expect(extended).toMatchObject({ status: 503, body: { status: "unreachable" } });
    // Nobody else has to wait, and what is known is shown.
    expect(await mount(elsewhere)).toMatchObject({ status: 200, body: { drover: { host: "host-b" } } });
    expect(await plane.ask("GET", `${APP}/volumes/${here}`)).toMatchObject({
      status: 200,
      body: { id: here, attached_machine_id: null },
    });
    expect(plane.host("host-a").state.machines.size).toBe(0);

    await heal();
    await plane.topology.linked();
    const machine = await insistOn(() => mount(here));
    expect(machine).toMatchObject({ drover: { host: "host-a" } });
    expect(await mount(here)).toMatchObject({ status: 200, body: { id: machine.id } });
    const state = plane.host("host-a").state;
    expect([...state.machines.keys()]).toEqual([machine.id]);
    expect(state.volumes.get(here)).toMatchObject({
      attachedMachineId: machine.id,
      sizeGb: expect.any(Number),
    });
  }, 120_000);
});
