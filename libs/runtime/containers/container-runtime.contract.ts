import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MachineExit } from "#contracts";
import type { FaultPoint } from "../fault-point.ts";
import { type ContainerRuntime, EXIT_CODE_UNKNOWN, type LaunchSpec } from "./container-runtime.ts";
import type { ExecSpec } from "./exec-process.ts";

/** What a test's process does; each adapter has its own way to make one that does so. */
export type Program =
  /** Ends at once. */
  | { readonly kind: "exit"; readonly code: number }
  /** Runs until SIGTERM, then ends with code 3. */
  | { readonly kind: "serve" }
  /** Runs until SIGKILL. */
  | { readonly kind: "stubborn" }
  /** A program that the image does not have. */
  | { readonly kind: "missing" };

/** What is run beside it. */
export type Beside =
  | { readonly kind: "exit"; readonly code: number }
  /** Writes it, and ends. */
  | { readonly kind: "say"; readonly text: string }
  /** Writes what it reads, until there is no more. */
  | { readonly kind: "echo" }
  /** Runs until SIGKILL, with a child that does so too. */
  | { readonly kind: "stubborn" }
  | { readonly kind: "missing" };

/** An adapter under test and the world it works on, which outlives it. */
export interface ContainersUnderTest {
  /** The adapter of a fresh agent; the one before is dead. `faultPoint`: where to crash. */
  open(faultPoint?: FaultPoint): Promise<ContainerRuntime>;
  spec(machineId: string, startId: string, program: Program): Promise<LaunchSpec>;
  argsOf(beside: Beside): readonly string[];
  /** Resolves once the process of a `serve` heeds signals. */
  serving(startId: string): Promise<void>;
  /** How often the process of that start began. */
  runsOf(startId: string): Promise<number>;
  close(): Promise<void>;
}

const M = "d0000000000001";

/** What every `ContainerRuntime` does. */
export function containerRuntimeContract(name: string, setUp: () => Promise<ContainersUnderTest>): void {
  describe(`${name} as ContainerRuntime`, () => {
    const { signal } = new AbortController();
    let world: ContainersUnderTest;
    let runtime: ContainerRuntime;
    beforeEach(async () => {
      world = await setUp();
      runtime = await world.open();
    });
    afterEach(() => world.close());

    const launch = async (startId: string, program: Program, machineId = M) =>
      runtime.launch(await world.spec(machineId, startId, program), signal);
    const nextExit = (of: ContainerRuntime) =>
      new Promise<{ machineId: string; startId: string; exit: MachineExit }>((resolve) => {
        of.onExit((machineId, startId, exit) => resolve({ machineId, startId, exit }));
      });

    it("runs a process and shows it", async () => {
      const { pid, startedAtMs } = await launch("S1", { kind: "serve" });
      expect(pid).toBeGreaterThan(0);
      expect(startedAtMs).toBeGreaterThan(0);
      expect(await runtime.list()).toEqual([{ machineId: M, startId: "S1", state: "running", pid }]);
      expect(await runtime.exitOf(M, "S1")).toBeUndefined();
    });

    it("never runs the process of one start twice, not even for the agent that comes after", async () => {
      const first = await launch("S1", { kind: "serve" });
      expect(await launch("S1", { kind: "serve" })).toEqual(first);
      runtime = await world.open();
      expect(await launch("S1", { kind: "serve" })).toEqual(first);
      await world.serving("S1");
      await runtime.awaitExit(M, "S1", 0, signal);
      expect(await launch("S1", { kind: "serve" })).toEqual({ ...first, pid: 0 });
      expect(await world.runsOf("S1")).toBe(1);
    });

    it("tells how a process ended, at once and later", async () => {
      const told = nextExit(runtime);
      await launch("S1", { kind: "exit", code: 7 });
      const { exit, ...start } = await told;
      expect(start).toEqual({ machineId: M, startId: "S1" });
      expect(exit).toMatchObject({ exit_code: 7, guest_signal: 0, oom_killed: false, requested_stop: false });
      expect(exit.exited_at_ms).toBeGreaterThan(0);
      expect(await runtime.exitOf(M, "S1")).toEqual(exit);
      expect(await runtime.awaitExit(M, "S1", 0, signal)).toEqual(exit);
      expect(await runtime.list()).toEqual([{ machineId: M, startId: "S1", state: "stopped", pid: 0 }]);
    });

    it("tells the next agent of an exit that nobody watched", async () => {
      await launch("S1", { kind: "serve" });
      const exit = await runtime.awaitExit(M, "S1", 0, signal);
      expect((await nextExit(await world.open())).exit).toEqual(exit);
    });

    it("passes a signal on, and says afterwards that the end was asked for", async () => {
      await launch("S1", { kind: "serve" });
      await world.serving("S1");
      await runtime.sendSignal(M, "S1", "SIGTERM");
      const exit = await runtime.awaitExit(M, "S1", 10_000, signal);
      expect(exit).toMatchObject({ exit_code: 3, guest_signal: 0, requested_stop: true });
    });

    it("kills what does not end in time", async () => {
      await launch("S1", { kind: "stubborn" });
      // Before, it has not said yet that it will not hear.
      await world.serving("S1");
      await runtime.sendSignal(M, "S1", "SIGTERM");
      const exit = await runtime.awaitExit(M, "S1", 50, signal);
      expect(exit).toMatchObject({ exit_code: 137, guest_signal: 9, requested_stop: true });
    });

    it("stops waiting when told to, and the process goes on", async () => {
      await launch("S1", { kind: "stubborn" });
      const abort = new AbortController();
      const waiting = runtime.awaitExit(M, "S1", 60_000, abort.signal);
      abort.abort();
      await expect(waiting).rejects.toThrow();
      expect(await runtime.list()).toMatchObject([{ state: "running" }]);
    });

    it("does not call an end asked for that came before the signal", async () => {
      await launch("S1", { kind: "exit", code: 0 });
      await runtime.awaitExit(M, "S1", 60_000, signal);
      await runtime.sendSignal(M, "S1", "SIGTERM");
      expect(await runtime.exitOf(M, "S1")).toMatchObject({ exit_code: 0, requested_stop: false });
    });

    it("says of a start that never ran that its end is unknown", async () => {
      const exit = await runtime.awaitExit(M, "S9", 60_000, signal);
      expect(exit).toMatchObject({ exit_code: EXIT_CODE_UNKNOWN });
      await runtime.sendSignal(M, "S9", "SIGTERM");
      expect(await runtime.exitOf(M, "S9")).toBeUndefined();
    });

    it("knows a start from its begin until it is removed, whatever became of it", async () => {
      expect(await runtime.knows(M, "S1")).toBe(false);
      await launch("S1", { kind: "exit", code: 0 });
      expect(await runtime.knows(M, "S1")).toBe(true);
      await runtime.awaitExit(M, "S1", 60_000, signal);
      expect(await runtime.knows(M, "S1")).toBe(true);
      await runtime.removeContainers(M);
      expect(await runtime.knows(M, "S1")).toBe(false);
    });

    it("refuses for good what can never run, and leaves nothing of it", async () => {
      await expect(launch("S1", { kind: "missing" })).rejects.toMatchObject({
        name: "TerminalError",
        code: "launch_failed",
      });
      expect(await runtime.list()).toEqual([]);
    });

    it("refuses a signal that does not exist", async () => {
      await expect(runtime.sendSignal(M, "S1", "SIGNOPE")).rejects.toMatchObject({ code: "invalid" });
    });

    it("removes a machine's containers but the one to keep, running or not, and nobody else's", async () => {
      await launch("S1", { kind: "exit", code: 0 });
      await launch("S2", { kind: "serve" });
      const kept = await launch("S3", { kind: "serve" });
      const others = await launch("S4", { kind: "serve" }, "d0000000000002");
      await runtime.removeContainers(M, "S3");
      await runtime.removeContainers(M, "S3");
      expect(await runtime.list()).toEqual([
        { machineId: M, startId: "S3", state: "running", pid: kept.pid },
        { machineId: "d0000000000002", startId: "S4", state: "running", pid: others.pid },
      ]);
      await runtime.removeContainers(M);
      await runtime.removeContainers("d0000000000002");
      expect(await runtime.list()).toEqual([]);
    });

    it("makes a container ready without running it, and lets that very one go", async () => {
      const spec = await world.spec(M, "S1", { kind: "serve" });
      await runtime.makeReady(spec, signal);
      await runtime.makeReady(spec, signal);
      const [ready, ...others] = await runtime.list();
      expect(ready).toMatchObject({ machineId: M, startId: "S1", state: "created" });
      expect(others).toEqual([]);
      expect([await world.runsOf("S1"), await runtime.knows(M, "S1")]).toEqual([0, false]);
      expect(await runtime.launch(spec, signal)).toMatchObject({ pid: ready!.pid });
      await world.serving("S1");
      await runtime.makeReady(spec, signal);
      expect(await runtime.list()).toMatchObject([{ state: "running", pid: ready!.pid }]);
      expect(await world.runsOf("S1")).toBe(1);
    });

    it("makes anew what stands ready for another spec, and says why what cannot run is not ready", async () => {
      const { process, ...place } = await world.spec(M, "S1", { kind: "serve" });
      await runtime.makeReady({ ...place, process: { ...process, env: { OLD: "1" } } }, signal);
      const [old] = await runtime.list();
      const { pid } = await runtime.launch({ ...place, process }, signal);
      expect(pid).not.toBe(old!.pid);
      expect(await runtime.list()).toEqual([{ machineId: M, startId: "S1", state: "running", pid }]);
      const missing = await world.spec(M, "S2", { kind: "missing" });
      await expect(runtime.makeReady(missing, signal)).rejects.toMatchObject({ code: "launch_failed" });
      expect(await runtime.list()).toHaveLength(1);
    });

    it("makes anew what stands ready with other mounts", async () => {
      const spec = await world.spec(M, "S1", { kind: "serve" });
      await runtime.makeReady(spec, signal);
      const [old] = await runtime.list();
      const mounts = [{ source: tmpdir(), destination: "/data" }];
      await runtime.makeReady({ ...spec, mounts }, signal);
      const [ready] = await runtime.list();
      expect(ready!.pid).not.toBe(old!.pid);
      expect(await runtime.launch({ ...spec, mounts }, signal)).toMatchObject({ pid: ready!.pid });
    });

    it("removes what stands ready and was never launched", async () => {
      await runtime.makeReady(await world.spec(M, "S1", { kind: "serve" }), signal);
      await runtime.removeContainers(M);
      expect(await runtime.list()).toEqual([]);
    });

    describe("a program beside it", () => {
      const exec = async (beside: Beside, more: Partial<ExecSpec> = {}, startId = "S1") =>
        runtime.exec(M, startId, { args: world.argsOf(beside), hasStdin: true, ...more }, signal);

      it("reads, writes, and ends with its own exit code", async () => {
        await launch("S1", { kind: "serve" });
        const echo = await exec({ kind: "echo" });
        const large = "0123456789abcdef".repeat(20_000);
        echo.stdin.end(large);
        expect((await text(echo.stdout)) === large).toBe(true);
        expect([await text(echo.stderr), await echo.exit]).toEqual(["", { exitCode: 0, exitSignal: 0 }]);
        const failing = await exec({ kind: "exit", code: 7 }, { hasStdin: false });
        expect([await text(failing.stdout), await failing.exit]).toEqual([
          "",
          { exitCode: 7, exitSignal: 0 },
        ]);
        const quick = await exec({ kind: "say", text: "over" }, { hasStdin: false });
        expect([(await quick.exit).exitCode, await text(quick.stdout)]).toEqual([0, "over"]);
        const silent = await exec({ kind: "echo" }, { hasStdin: false });
        expect([await text(silent.stdout), (await silent.exit).exitCode]).toEqual(["", 0]);
      });

      it("is killed with all that it began", async () => {
        await launch("S1", { kind: "serve" });
        const stubborn = await exec({ kind: "stubborn" });
        stubborn.signal("SIGTERM");
        stubborn.kill();
        await text(stubborn.stdout);
        expect(await stubborn.exit).toEqual({ exitCode: 137, exitSignal: 9 });
      });

      it("ends with the machine's process, and with the agent", async () => {
        await launch("S1", { kind: "serve" });
        const first = await exec({ kind: "stubborn" });
        runtime = await world.open();
        await text(first.stdout);
        await first.exit;
        const second = await exec({ kind: "stubborn" });
        await runtime.awaitExit(M, "S1", 0, signal);
        await text(second.stdout);
        await second.exit;
      });

      it("is refused where there is none such, and where nothing runs", async () => {
        await launch("S1", { kind: "serve" });
        await expect(exec({ kind: "missing" })).rejects.toMatchObject({
          code: "launch_failed",
          message: expect.stringMatching(/^exec: ".*missing|nothing"/),
        });
        await expect(exec({ kind: "echo" }, {}, "S9")).rejects.toMatchObject({ code: "wrong_state" });
        await runtime.awaitExit(M, "S1", 0, signal);
        await expect(exec({ kind: "echo" })).rejects.toMatchObject({ code: "wrong_state" });
      });
    });

    it("F22: an agent killed anywhere while it makes ready leaves nothing that a launch cannot go on from", async () => {
      for (let n = 1, crashed = true; crashed; n += 1) {
        const spec = await world.spec(M, `ready-${n}`, { kind: "serve" });
        let points = 0;
        const crashing = await world.open(() => {
          points += 1;
          if (points === n) throw new Error("crash");
        });
        crashed = await crashing.makeReady(spec, signal).then(
          () => false,
          () => true,
        );
        runtime = await world.open();
        await endsOnce(spec, { kind: "serve" });
      }
    }, 120_000);

    for (const program of [{ kind: "serve" }, { kind: "exit", code: 5 }] as const) {
      it(`F22: an agent killed anywhere in a launch (${program.kind}) is resumed to the same end, nothing runs twice`, async () => {
        let points = 0;
        for (let n = 1, crashed = true; crashed; n += 1) {
          const startId = `${program.kind}-${n}`;
          const spec = await world.spec(M, startId, program);
          points = 0;
          const crashing = await world.open(() => {
            points += 1;
            if (points === n) throw new Error("crash");
          });
          crashed = await crashing.launch(spec, signal).then(
            () => false,
            () => true,
          );
          runtime = await world.open();
          await endsOnce(spec, program);
        }
        expect(points).toBeGreaterThan(3);
      }, 120_000);
    }

    /** Takes a launch that was cut short to its end. */
    async function endsOnce(spec: LaunchSpec, program: Program): Promise<void> {
      const { startId } = spec;
      const resumed = await runtime.launch(spec, signal);
      if (program.kind === "serve") {
        await world.serving(startId);
        await runtime.sendSignal(M, startId, "SIGTERM");
      }
      const { exit_code } = await runtime.awaitExit(M, startId, 10_000, signal);
      const expected = program.kind === "exit" ? program.code : 3;
      expect({ startId, exit_code }).toEqual({ startId, exit_code: expected });
      expect({ startId, runs: await world.runsOf(startId) }).toEqual({ startId, runs: 1 });
      expect(await runtime.launch(spec, signal)).toEqual({ ...resumed, pid: 0 });
      await runtime.removeContainers(M);
      expect(await runtime.list()).toEqual([]);
    }
  });
}
