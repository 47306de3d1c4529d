import { insist, isUnreachable } from "#bus";
import { type CallMeta, hostCalls, subjects } from "#contracts";
import { type Clock, Deadline, type Ids, type Result } from "#kernel";
import type { Route } from "#routing";
import type { Link } from "../link.ts";
import { WakeCaller } from "./wakes.ts";

/** A host that was killed in the middle is asked again: the same command, so it stays one start. */
const TRY_MS = 5_000;

/** Wakes by the call that hosts answer. */
export class BusWakeCaller extends WakeCaller {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #routerId: string;

  constructor(link: Link, clock: Clock, ids: Ids, routerId: string) {
    super();
    this.#link = link;
    this.#clock = clock;
    this.#ids = ids;
    this.#routerId = routerId;
  }

  override async wake(route: Route, requestId: string, deadlineMs: number): Promise<Result<unknown>> {
    const { hostId, machineId, state } = route;
    const meta = {
      commandId: this.#ids.ulid(),
      correlationId: requestId,
      causationId: requestId,
      actor: `router:${this.#routerId}`,
    };
    const ask = (ms: number) => {
      const subject = subjects.hostCommand(hostId, "wake");
      const whole: CallMeta = { ...meta, deadlineMs: ms };
      return this.#link.call(hostCalls.wake, subject, { machineId, routerId: this.#routerId }, whole);
    };
    if (state === "started") return ask(deadlineMs);
    return insist(ask, {
      clock: this.#clock,
      deadline: new Deadline(this.#clock, deadlineMs),
      tryMs: TRY_MS,
      isPassing: isUnreachable,
    });
  }
}
