import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { HostLab, labIds } from "../host/host-lab.ts";
import { DeathPoint } from "../simulation/host-death.ts";
import { SimulatedHost } from "../simulation/host-world.ts";

/** Holds the first agent that passes a place up there, until it is let go. */
class SlowPlace extends DeathPoint {
  readonly reached = Promise.withResolvers<void>();
  readonly letGo = Promise.withResolvers<void>();
  #place: string | undefined;

  constructor(place: string) {
    super();
    this.#place = place;
  }

  override heldUp(place: string): Promise<void> | undefined {
    if (place !== this.#place) return undefined;
    this.#place = undefined;
    this.reached.resolve();
    return this.letGo.promise;
  }
}

describe("F19: two agents for one host id", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  it.each(["before containers.launch", "before log.take MachineStarted"])(
    "on two computers: the later one takes over, the one held up %s is fenced, nothing happens twice",
    async (place) => {
      const host = await SimulatedHost.make(server);
      const slow = new SlowPlace(place);
      const first = await host.boot(slow);
      await first.create("CREATE");
      await slow.reached.promise;

      const second = await host.boot(new DeathPoint(), { besides: true });
      const machine = await second.settled();
      expect(machine?.state).toBe("started");

      slow.letGo.resolve();
      expect(await first.ended).toMatch(/may not write the host's log any more/);
      await expect(first.command("STOP", { type: "StopMachine" })).rejects.toMatchObject({
        refusal: { code: "unreachable" },
      });
      expect([...host.everMade.values()].map(({ runs }) => runs)).toEqual([1]);
      expect(second.machine).toEqual(machine);
      await second.agent.stop();
      await host.remove();
    },
  );
});

describe("F19: two agents for one host id on one computer", () => {
  let lab: HostLab;
  beforeAll(async () => {
    lab = await HostLab.open(["a"]);
  }, 120_000);
  afterAll(() => lab.close(), 60_000);

  it("the second is refused with one line, and the first never notices", async () => {
    const first = await lab.agent("a");
    const second = await lab.tryAgent("a");
    await second.gone;
    expect(second.end).toBe(1);
    expect(second.output).toMatch(/^drover: another agent runs for host a on this machine: stop it first$/m);
    const made = await lab.create("a", { machineId: labIds.machineId(), commandId: labIds.ulid() });
    expect(made.kind).toBe("answer");
    expect(first.isGone).toBe(false);
    await first.stop();
  }, 120_000);
});
