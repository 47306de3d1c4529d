import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MachineLogLine, MachineLogs } from "./machine-logs.ts";

/** Machine logs, and machines that write to them. */
export interface LogsWorld {
  readonly logs: MachineLogs;
  /** A machine writes one line. Its log was prepared. */
  write(machineId: string, line: MachineLogLine): Promise<void>;
  close(): Promise<void>;
}

/** The first `count` lines of a follow. */
export async function take(lines: AsyncIterable<MachineLogLine>, count: number): Promise<MachineLogLine[]> {
  const taken: MachineLogLine[] = [];
  if (count === 0) return taken;
  for await (const line of lines) if (taken.push(line) === count) break;
  return taken;
}

/** What every implementation of machine logs must do. */
export function machineLogsContract(name: string, open: () => Promise<LogsWorld>): void {
  describe(`machine logs contract: ${name}`, () => {
    let world: LogsWorld;
    let logs: MachineLogs;
    let controller: AbortController;
    beforeEach(async () => {
      world = await open();
      logs = world.logs;
      controller = new AbortController();
    });
    afterEach(async () => {
      controller.abort();
      await world.close();
    });
    const line = (n: number): MachineLogLine => ({
      atMs: 1_700_000_000_000 + n,
      stream: n % 3 === 0 ? "stderr" : "stdout",
      text: `line ${n} ✓`,
    });
    const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i));
    const write = async (from: number, to: number) => {
      for (const one of lines(from, to)) await world.write("m1", one);
    };

    it("reads the last lines, oldest first", async () => {
      await logs.prepare("m1");
      await write(0, 20);
      expect(await logs.read("m1", 5)).toEqual(lines(15, 20));
      expect(await logs.read("m1", 100)).toEqual(lines(0, 20));
      expect(await logs.read("m1", 0)).toEqual([]);
    });

    it("has nothing of a machine that it does not know", async () => {
      expect(await logs.read("m1", 5)).toEqual([]);
      expect(await logs.list()).toEqual([]);
    });

    it("keeps the log when it is prepared again, for the machine's next start", async () => {
      const path = await logs.prepare("m1");
      await write(0, 3);
      expect(await logs.prepare("m1")).toBe(path);
      await write(3, 5);
      expect(await logs.read("m1", 10)).toEqual(lines(0, 5));
    });

    it("follows: the last lines, then each new one, in order and once", async () => {
      await logs.prepare("m1");
      await write(0, 10);
      const follow = logs.follow("m1", 4, controller.signal)[Symbol.asyncIterator]();
      const next = async (count: number) => {
        const taken = [];
        while (taken.length < count) taken.push((await follow.next()).value);
        return taken;
      };
      expect(await next(4)).toEqual(lines(6, 10));
      await write(10, 15);
      await logs.prepare("m1");
      await write(15, 20);
      expect(await next(10)).toEqual(lines(10, 20));
      await follow.return?.();
    });

    it("lets several follow one log", async () => {
      await logs.prepare("m1");
      const followers = [1, 2, 3].map(() => take(logs.follow("m1", 100, controller.signal), 30));
      await write(0, 30);
      for (const follower of followers) expect(await follower).toEqual(lines(0, 30));
    });

    it("waits for a log that is not there yet", async () => {
      const followed = take(logs.follow("m1", 10, controller.signal), 2);
      await logs.prepare("m1");
      await write(0, 2);
      expect(await followed).toEqual(lines(0, 2));
    });

    it("ends a follow when its signal fires or the log is removed", async () => {
      const absent = take(logs.follow("m2", 10, controller.signal), 1);
      await logs.prepare("m1");
      await write(0, 1);
      const removed = take(logs.follow("m1", 10, controller.signal), 2);
      const aborted = new AbortController();
      const given = take(logs.follow("m1", 10, aborted.signal), 2);
      aborted.abort();
      await given;
      await logs.remove("m1");
      await removed;
      controller.abort();
      expect(await absent).toEqual([]);
    });

    it("removes a log, twice, and begins afresh after that", async () => {
      await logs.prepare("m1");
      await write(0, 3);
      expect(await logs.list()).toEqual(["m1"]);
      await logs.remove("m1");
      await logs.remove("m1");
      expect(await logs.list()).toEqual([]);
      expect(await logs.read("m1", 10)).toEqual([]);
      await logs.prepare("m1");
      await write(3, 5);
      expect(await logs.read("m1", 10)).toEqual(lines(3, 5));
    });
  });
}
