import { type BusConnection, FrameLink } from "#bus";
import { type AnswerOf, type hostCalls, type RequestOf, subjects } from "#contracts";
import { type Clock, type Refusal, RefusedError, refusal, TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { ContainerRuntime, ExecProcess } from "#runtime";
import type { Decisions } from "../decisions.ts";
import { ExecSession } from "./exec-session.ts";

type Exec = (typeof hostCalls)["exec"];

const MAX_EXECS = 64;

/** Programs that run beside machines' own processes for somebody who is there: no longer than he is. */
export class Execs {
  readonly #decisions: Pick<Decisions, "host" | "machine">;
  readonly #containers: ContainerRuntime;
  readonly #nc: BusConnection;
  readonly #clock: Clock;
  /** Machine id by exec id. */
  readonly #running = new Map<string, { readonly machineId: string; readonly abandon: () => void }>();

  constructor(
    decisions: Pick<Decisions, "host" | "machine">,
    containers: ContainerRuntime,
    nc: BusConnection,
    clock: Clock,
  ) {
    this.#decisions = decisions;
    this.#containers = containers;
    this.#nc = nc;
    this.#clock = clock;
  }

  /** Answers once the program runs. Throws a refusal when the machine does not, or has no such program. */
  async open(request: RequestOf<Exec>, signal: AbortSignal): Promise<AnswerOf<Exec>> {
    const { machineId, execId, ...spec } = request;
    const startId = this.#startOf(machineId);
    if (this.#running.size >= MAX_EXECS) throw new RefusedError(this.#full());
    let gone = () => {};
    this.#running.set(execId, { machineId, abandon: () => gone() });
    try {
      const begun = await this.#begin(machineId, startId, spec, signal);
      const session = await this.#link(execId, begun);
      gone = () => session.abandon();
      const over = () => this.#running.delete(execId);
      // It fails with the connection: then nobody can be told.
      void session.run().then(over, over);
      return {};
    } catch (error) {
      this.#running.delete(execId);
      throw error;
    }
  }

  /** Whether somebody is at work in the machine. */
  isIn(machineId: string): boolean {
    return [...this.#running.values()].some((each) => each.machineId === machineId);
  }

  close(): void {
    for (const { abandon } of this.#running.values()) abandon();
  }

  #startOf(machineId: string): string {
    const machine = this.#decisions.machine(machineId);
    if (machine === undefined) {
      const message = `no machine ${machineId} on host ${this.#decisions.host.id}`;
      throw new RefusedError(refusal("not_found", message));
    }
    if (machine.state !== "started" || machine.startId === undefined)
      throw new RefusedError(notStarted(machine));
    return machine.startId;
  }

  async #begin(
    machineId: string,
    startId: string,
    spec: Omit<RequestOf<Exec>, "machineId" | "execId">,
    signal: AbortSignal,
  ): Promise<ExecProcess> {
    try {
      return await this.#containers.exec(machineId, startId, spec, signal);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      const machine = this.#decisions.machine(machineId);
      if (error.code === "wrong_state" && machine !== undefined) throw new RefusedError(notStarted(machine));
      throw new RefusedError(
        refusal("invalid", `it cannot be run in machine ${machineId}: ${error.message}`),
      );
    }
  }

  async #link(execId: string, begun: ExecProcess): Promise<ExecSession> {
    const hostId = this.#decisions.host.id;
    let session: ExecSession | undefined;
    const link = await FrameLink.open({
      nc: this.#nc,
      clock: this.#clock,
      sendsOn: subjects.execOutput(hostId, execId),
      hearsOn: subjects.execInput(hostId, execId),
      onFrame: (frame) => session?.hear(frame),
      onEnd: () => session?.abandon(),
    }).catch((error: unknown) => {
      begun.kill();
      throw error;
    });
    session = new ExecSession(begun, link);
    link.begin();
    return session;
  }

  #full(): Refusal {
    const message = `host ${this.#decisions.host.id} runs ${MAX_EXECS} execs already: try again later`;
    return refusal("busy", message, { retryAfterMs: 1_000 });
  }
}

function notStarted({ id, state }: Machine): Refusal {
  const message = `machine ${id} is ${state}: start it first (drover start ${id})`;
  return refusal("wrong_state", message, { details: { state } });
}
