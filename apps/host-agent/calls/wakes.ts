import type { AnswerOf, CallMeta, HostLogEvent, hostCalls, RecordedEvent, RequestOf } from "#contracts";
import { isMachineEvent } from "#hosts";
import { type Clock, REFUSAL_CODES, type Refusal, type RefusalCode, RefusedError, refusal } from "#kernel";
import { isTransient, type Machine, owedCommand } from "#machines";
import type { Waiting } from "#operations";
import type { Decisions } from "../decisions.ts";
import type { AdmissionRoom } from "../start/admission-room.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type Wake = (typeof hostCalls)["wake"];
/** How a wake ends. */
type Verdict = { readonly kind: "started" } | { readonly kind: "refused"; readonly refusal: Refusal };
type Look = (event?: RecordedEvent<HostLogEvent>) => void;

/** Before its caller gives up, a wake says what it waits for; so long may that answer be on its way. */
const LAST_WORDS_MS = 200;

/** What wakes need of the agent around them. */
export interface WakeGround {
  readonly decisions: Decisions;
  readonly snapshots: Snapshots;
  readonly room: AdmissionRoom;
  readonly clock: Clock;
  /** A router is about to use the machine: it is not idle from now on. */
  readonly onWanted: (machineId: string, routerId: string) => void;
  /** What unfinished operations wait for. */
  readonly waiting: () => readonly Waiting[];
}

/**
 * Machines that requests wait for. A wake is a start that is answered when the machine has started: the decider makes
 * one start of many wakes, for a running machine none, and behind a stop the next thing. A machine that failed is tried
 * again, but not for every request; one whose restart policy gave up is stopped, and a request starts it like any other.
 */
export class Wakes {
  readonly #ground: WakeGround;
  readonly #looks = new Map<string, Set<Look>>();

  constructor(ground: WakeGround) {
    this.#ground = ground;
  }

  /** After each event of the log, once it is acknowledged. */
  onEvent(event: RecordedEvent<HostLogEvent>): void {
    if (!isMachineEvent(event)) return;
    for (const look of [...(this.#looks.get(event.data.machineId) ?? [])]) look(event);
  }

  /** Answers when the machine has started; refuses when that cannot be, or is not so by the deadline (I9). */
  async wake({ machineId, routerId }: RequestOf<Wake>, meta: CallMeta): Promise<AnswerOf<Wake>> {
    const { decisions, snapshots, clock } = this.#ground;
    const endsAtMs = clock.monotonicMs() + Math.max(meta.deadlineMs / 2, meta.deadlineMs - LAST_WORDS_MS);
    // Before the decision: a stop for want of use must not be decided behind it.
    this.#ground.onWanted(machineId, routerId);
    this.#refuseUnlessRoom(decisions.machine(machineId));
    // Also of a machine that runs: a stop may have been decided a moment ago.
    orRefuse(await decisions.askedOf(machineId, { type: "StartMachine", origin: "request" }, meta));
    const verdict = await this.#verdict(machineId, endsAtMs - clock.monotonicMs());
    if (verdict.kind === "refused") throw new RefusedError(verdict.refusal);
    return snapshots.machine(machineId);
  }

  /** A start takes room on the disk (F34); a machine that runs, or is about to, has it. */
  #refuseUnlessRoom(machine: Machine | undefined): void {
    if (machine === undefined || ["started", "starting", "restarting"].includes(machine.state)) return;
    const reason = this.#ground.room.refuseIfFull();
    if (reason !== undefined) throw new RefusedError(reason);
  }

  async #verdict(machineId: string, patienceMs: number): Promise<Verdict> {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const look: Look = (event) => {
      const verdict = verdictOf(machineId, this.#ground.decisions.machine(machineId), event);
      if (verdict !== undefined) resolve(verdict);
    };
    const enough = new AbortController();
    this.#ground.clock.sleep(patienceMs, enough.signal).then(
      () => resolve({ kind: "refused", refusal: this.#late(machineId) }),
      () => {},
    );
    this.#add(machineId, look);
    look();
    try {
      return await promise;
    } finally {
      enough.abort("answered");
      this.#remove(machineId, look);
    }
  }

  #add(machineId: string, look: Look): void {
    const looks = this.#looks.get(machineId);
    if (looks === undefined) this.#looks.set(machineId, new Set([look]));
    else looks.add(look);
  }

  #remove(machineId: string, look: Look): void {
    const looks = this.#looks.get(machineId);
    looks?.delete(look);
    if (looks?.size === 0) this.#looks.delete(machineId);
  }

  #late(machineId: string): Refusal {
    const state = this.#ground.decisions.machine(machineId)?.state;
    const waitingFor = this.#ground.waiting().find(({ subjectId }) => subjectId === machineId);
    const { step, attempt, lastError } = waitingFor ?? {};
    const failure = lastError === undefined ? "" : `, after ${lastError.code}: ${lastError.message}`;
    const what = step === undefined ? "" : `; it waits for ${step}, attempt ${attempt}${failure}`;
    const message = `machine ${machineId} is ${state} still${what}`;
    return refusal("deadline_exceeded", message, { details: { state, waitingFor } });
  }
}

/** What a machine in this state means for those who wait for it; undefined while it may still start. */
function verdictOf(
  machineId: string,
  machine: Machine | undefined,
  event: RecordedEvent<HostLogEvent> | undefined,
): Verdict | undefined {
  if (machine === undefined) return no("not_found", `no machine ${machineId} on this host`);
  const { state, queued, error } = machine;
  if (state === "started" && queued === undefined) return { kind: "started" };
  if (state === "failed" || state === "launch_failed") {
    return no("effect_failed", `machine ${machineId} did not start: ${error?.code}: ${error?.message}`, {
      state,
      error,
    });
  }
  if (event?.type === "MachineIntentDropped")
    return no(codeOf(event.data.code), event.data.message, { state });
  if (state === "destroying") return no("wrong_state", `machine ${machineId} is being destroyed`, { state });
  if (isTransient(state) || owedCommand(machine) !== undefined) return undefined;
  return no("wrong_state", `machine ${machineId} is ${state} again: wake it anew`, { state });
}

function no(code: RefusalCode, message: string, details: Readonly<Record<string, unknown>> = {}): Verdict {
  return { kind: "refused", refusal: refusal(code, message, { details }) };
}

function codeOf(code: string): RefusalCode {
  return REFUSAL_CODES.find((known) => known === code) ?? "effect_failed";
}
