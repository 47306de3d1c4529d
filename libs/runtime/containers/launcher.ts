import { type Clock, TerminalError } from "#kernel";
import type { FaultPoint } from "../fault-point.ts";
import { containerIdOf } from "../names.ts";
import type { Bundle } from "./bundle.ts";
import type { Launched, LaunchSpec } from "./container-runtime.ts";
import type { ContainerTraces } from "./container-traces.ts";
import { digestOf, layOut, type PlanSurroundings, planOf } from "./launch-plan.ts";
import { CreateError, type MonitorOrder, startMonitor } from "./monitor.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { lives } from "./processes.ts";

/** What all launches of one host have in common. */
export interface LaunchGround {
  readonly runtime: OciRuntime;
  readonly traces: ContainerTraces;
  readonly clock: Clock;
  readonly faultPoint: FaultPoint;
  readonly limitsSwap: boolean;
  readonly maxOpenFiles: number;
  readonly monitors: Pick<MonitorOrder, "exitFolder" | "socketFolder" | "shelter">;
}

/**
 * Launches one start of a machine, once. A note in the bundle is the point of no return: before it the process has
 * certainly not begun, and everything but a container that stands ready is made anew; after it the process is never made
 * again.
 */
export class Launcher {
  readonly #ground: LaunchGround;

  constructor(ground: LaunchGround) {
    this.#ground = ground;
  }

  /** See `ContainerRuntime.launch`. Calls for one container must not overlap. */
  async launch(spec: LaunchSpec, signal: AbortSignal): Promise<Launched> {
    const bundle = this.#ground.traces.bundleOf(containerIdOf(spec));
    const started = await bundle.started();
    return started === undefined
      ? this.#begin(spec, bundle, signal)
      : this.#resume(bundle, started.startedAtMs, signal);
  }

  /** See `ContainerRuntime.makeReady`. Calls for one container must not overlap. */
  async makeReady(spec: LaunchSpec, signal: AbortSignal): Promise<void> {
    const bundle = this.#ground.traces.bundleOf(containerIdOf(spec));
    if ((await bundle.started()) !== undefined || (await this.#isReady(spec, bundle))) return;
    const digest = await digestOf(spec, bundle, this.#surroundingsOf(bundle));
    await this.#create(spec, bundle, signal);
    await bundle.noteReady(digest);
    await this.#ground.faultPoint("ready noted");
  }

  async #begin(spec: LaunchSpec, bundle: Bundle, signal: AbortSignal): Promise<Launched> {
    const { clock, faultPoint } = this.#ground;
    if (!(await this.#isReady(spec, bundle))) await this.#create(spec, bundle, signal);
    const startedAtMs = clock.nowMs();
    await bundle.noteStarted({ startedAtMs });
    await faultPoint("start noted");
    return this.#release(bundle, startedAtMs, signal);
  }

  /** Whether the container stands, made from the very same, and waits to be let go. */
  async #isReady(spec: LaunchSpec, bundle: Bundle): Promise<boolean> {
    const noted = await bundle.ready();
    if (noted === undefined) return false;
    const { runtime } = this.#ground;
    const [digest, monitor, first] = await Promise.all([
      digestOf(spec, bundle, this.#surroundingsOf(bundle)),
      bundle.monitor(),
      runtime.processOf(bundle.containerId),
    ]);
    if (digest !== noted || monitor === undefined || first === undefined) return false;
    return runtime.isWaiting(bundle.containerId, first);
  }

  async #create(spec: LaunchSpec, bundle: Bundle, signal: AbortSignal): Promise<void> {
    const { traces, faultPoint } = this.#ground;
    if (!(await bundle.create())) {
      await traces.wipe(bundle.containerId);
      await bundle.create();
    }
    await faultPoint("bundle made");
    const planned = planOf(spec, bundle, this.#surroundingsOf(bundle));
    const written = planned.then((plan) => layOut(plan, bundle));
    written.catch(() => {}); // the monitor's start reports it
    try {
      await startMonitor(this.#orderFor(spec, bundle), written, signal);
    } catch (error) {
      throw await this.#failure(error, bundle);
    }
    await faultPoint("container created");
  }

  async #resume(bundle: Bundle, startedAtMs: number, signal: AbortSignal): Promise<Launched> {
    const { runtime, traces } = this.#ground;
    const first = await runtime.processOf(bundle.containerId);
    if (first === undefined || !lives(first)) return { startedAtMs, pid: 0 };
    if (!runtime.isWaiting(bundle.containerId, first)) return { startedAtMs, pid: first.pid };
    if ((await bundle.monitor()) !== undefined) return this.#release(bundle, startedAtMs, signal);
    // Let go now, it would run unwatched; made anew, it might run twice, for somebody may be letting it go right now.
    await traces.kill(bundle.containerId, true);
    return { startedAtMs, pid: 0 };
  }

  async #release(bundle: Bundle, startedAtMs: number, signal: AbortSignal): Promise<Launched> {
    const { runtime, faultPoint } = this.#ground;
    const first = await runtime.processOf(bundle.containerId);
    await runtime.release(bundle.containerId, signal);
    await faultPoint("process released");
    return { startedAtMs, pid: first !== undefined && lives(first) ? first.pid : 0 };
  }

  #surroundingsOf({ containerId }: Bundle): PlanSurroundings {
    const { traces, limitsSwap, maxOpenFiles } = this.#ground;
    return { cgroup: traces.cgroupOf(containerId), limitsSwap, maxOpenFiles };
  }

  #orderFor(spec: LaunchSpec, bundle: Bundle): MonitorOrder {
    const { monitors, runtime, faultPoint } = this.#ground;
    const { containerId, path } = bundle;
    return {
      ...monitors,
      runtime,
      faultPoint,
      containerId,
      bundle: path,
      logPath: spec.logPath,
      tty: spec.process.tty,
    };
  }

  /** What a failed creation means. One that no attempt can mend leaves nothing behind. */
  async #failure(error: unknown, bundle: Bundle): Promise<unknown> {
    const isHopeless =
      error instanceof TerminalError || (error instanceof CreateError && isGuestsFault(error.message));
    if (!isHopeless) return error;
    await this.#ground.traces.wipe(bundle.containerId);
    return error instanceof TerminalError ? error : new TerminalError("launch_failed", error.message);
  }
}

/** Whether the runtime complains of the program or folder that the machine names, rather than of this host. */
function isGuestsFault(message: string): boolean {
  return /exec: "|executable file|chdir to cwd|mkdir cwd/.test(message);
}
