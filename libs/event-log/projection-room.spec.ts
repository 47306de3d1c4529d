import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Projection, type SavedProjection } from "./projection.ts";
import { SEEN, TestHub } from "./test-hub.fixture.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await TestHub.start();
});
afterEach(() => hub.stop());

const ROOM = 50;

/** Takes so many events at a time, and writes down what it took and how far it was then. */
class SlowReader {
  readonly taken: string[] = [];
  saved: SavedProjection | undefined;
  most = 0;
  #waiting: string[] = [];
  #gate: PromiseWithResolvers<void> | undefined;

  async start(from?: SavedProjection): Promise<Projection<unknown>> {
    this.#waiting = [];
    this.#gate = undefined;
    const { nc, clock } = hub;
    const settings = { nc, clock, fold: SEEN, room: () => this.#gate?.promise };
    const projection = await Projection.start(from === undefined ? settings : { ...settings, from });
    projection.onEvent(({ header }) => {
      this.#waiting.push(header.id);
      this.most = Math.max(this.most, this.#waiting.length);
      if (this.#waiting.length >= ROOM) this.#gate ??= Promise.withResolvers<void>();
    });
    return projection;
  }

  take(projection: Projection<unknown>): void {
    this.saved = projection.saved() ?? this.saved;
    this.taken.push(...this.#waiting.splice(0));
    this.#gate?.resolve();
    this.#gate = undefined;
  }
}

const moment = () => new Promise((done) => setTimeout(done, 5));

describe("F12: a projection with a slow listener", () => {
  it("waits until there is room, holds nothing more meanwhile, and brings each event once and in order", async () => {
    const log = await hub.openLog("host-a");
    await hub.register(log);
    await log.appendMany(700);
    const reader = new SlowReader();
    const projection = await reader.start();
    for (let live = 0; reader.taken.length < 901; live += 1) {
      await moment();
      // Live events come while there is no room, and are read again.
      if (live < 200) log.live(await log.append());
      reader.take(projection);
    }
    expect(reader.taken.filter((id) => log.eventIds.includes(id))).toEqual(log.eventIds);
    // What waited for a gap to close comes on top of it.
    expect(reader.most).toBeLessThan(2 * ROOM);
    await projection.stop();
  });

  it("goes on from what was saved with what was taken, when the rest is lost with its process", async () => {
    const log = await hub.openLog("host-a");
    await hub.register(log);
    await log.appendMany(300);
    const reader = new SlowReader();
    for (let life = 0; reader.taken.length < 301; life += 1) {
      const projection = await reader.start(reader.saved);
      for (let turn = 0; turn < 3; turn += 1) {
        await moment();
        reader.take(projection);
      }
      await moment();
      await projection.stop();
      if (life > 200) throw new Error(`took ${reader.taken.length} only`);
    }
    expect(reader.taken.filter((id) => log.eventIds.includes(id))).toEqual(log.eventIds);
    expect(new Set(reader.taken).size).toBe(301);
  });
});
