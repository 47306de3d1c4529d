import { type BusClient, type BusConnection, FrameLink, type LinkEnd } from "#bus";
import { type CallMeta, type ExecSpecMessage, hostCalls, subjects } from "#contracts";
import { type Clock, type Ids, type Refusal, RefusedError, refusal } from "#kernel";
import type { Located } from "../fleet/fleet-reader.ts";

/** A running program, as the one sees it who asked its host for it. What is sent and heard are encoded `ExecFrame`s. */
export type OpenExec = Pick<FrameLink, "send" | "flush" | "close">;

export interface ExecListener {
  readonly onFrame: (frame: Uint8Array) => void;
  /** The host is out of reach, or has nothing more to say. Not called after `close`. */
  readonly onEnd: (reason: Refusal) => void;
}

/** Has hosts run programs in their machines. */
export class Execs {
  readonly #nc: BusConnection;
  readonly #bus: BusClient;
  readonly #ids: Ids;
  readonly #clock: Clock;

  constructor(nc: BusConnection, bus: BusClient, ids: Ids, clock: Clock) {
    this.#nc = nc;
    this.#bus = bus;
    this.#ids = ids;
    this.#clock = clock;
  }

  /** Resolves once the program runs. It ends when this is closed. Throws the host's refusal. */
  async open(
    { hostId, machine }: Located,
    spec: ExecSpecMessage,
    meta: CallMeta,
    { onFrame, onEnd }: ExecListener,
  ): Promise<OpenExec> {
    const execId = this.#ids.ulid();
    // Listening comes first: output that is there at once must not be missed.
    const link = await FrameLink.open({
      nc: this.#nc,
      clock: this.#clock,
      sendsOn: subjects.execInput(hostId, execId),
      hearsOn: subjects.execOutput(hostId, execId),
      onFrame,
      onEnd: (end) => onEnd(endRefusal(hostId, end)),
    });
    const subject = subjects.hostCommand(hostId, "exec");
    const asked = await this.#bus.call(
      hostCalls.exec,
      subject,
      { machineId: machine.id, execId, ...spec },
      meta,
    );
    link.begin();
    if (asked.kind === "answer") return link;
    // Should it run after all, this tells its host that nobody wants it.
    link.close();
    throw new RefusedError(asked.refusal);
  }
}

function endRefusal(hostId: string, end: LinkEnd): Refusal {
  if (end === "closed") return refusal("unreachable", `host ${hostId} ended the connection to the program`);
  const what = end === "silent" ? "does not answer any more" : "could not be followed: messages were lost";
  return refusal("unreachable", `host ${hostId} ${what}; the program was killed`);
}
