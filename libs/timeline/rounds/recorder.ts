import type { HostLogEvent, MachineEvent, RecordedEvent } from "#contracts";
import { type Departure, HISTORY_LENGTH, type HistoryEntry, historyEntry } from "#fleet";
import { isMachineEvent } from "#hosts";
import { wallMsOf } from "#kernel";
import { isFailure } from "../summary.ts";
import type { World } from "../world.ts";
import type { Block, BlockPlace } from "./block-file.ts";
import { historyLines } from "./late-histories.ts";
import { controlStateText, type Forgotten, logStateText } from "./parts.ts";
import type { LogPart, Round, RoundSlice, Span } from "./round.ts";

/** Parts of a log after which all of its histories are written again. */
const HISTORY_PARTS = 16;
const SLICE_EVENTS = 1_000;
const MOST_UNREADABLE = 20;

/** What is known of a log across rounds. */
export interface KnownLog {
  readonly hostId: string;
  /** The last sequence that arrived, and the greatest clock. */
  reached: number;
  clock: string;
  /** The log that it followed. */
  previous?: string | undefined;
  /** Parts since all of its histories were written. */
  parts: number;
}

interface OpenSpan {
  first: number;
  firstClock: string;
  last: number;
}

/** Of one log, what the present round brought. */
interface OpenLog extends OpenSpan {
  readonly entries: Map<string, HistoryEntry[]>;
  readonly machines: Departure[];
  readonly volumes: { id: string; epoch: number }[];
}

/** A round before it is written: `round` makes its record of the places that its blocks got. */
export interface DraftRound {
  readonly number: number;
  readonly blocks: readonly Block[];
  round(places: readonly BlockPlace[]): Round;
}

/** Folds what arrives into a world, and keeps what a round has to tell of it. */
export class RoundRecorder {
  readonly world: World;
  readonly controlLog: string;
  readonly #known: Map<string, KnownLog>;
  readonly #control: { reached: number; clock: string };
  #logs = new Map<string, OpenLog>();
  #controlSpan: OpenSpan | undefined;
  #controlForgot = false;
  #slices: RoundSlice[] = [];
  #unreadable: [string, string][] = [];
  #fleetEnd: Round["fleetEnd"];
  #number: number;
  #events = 0;

  /** `number`: of the last round that the world includes. */
  constructor(
    world: World,
    controlLog: string,
    number: number,
    known: Map<string, KnownLog>,
    control: { reached: number; clock: string },
    fleetEnd: Round["fleetEnd"],
  ) {
    this.world = world;
    this.controlLog = controlLog;
    this.#number = number;
    this.#known = known;
    this.#control = control;
    this.#fleetEnd = fleetEnd;
  }

  /** Events of the round so far, good and bad. */
  get events(): number {
    return this.#events;
  }

  hostOf(log: string): string | undefined {
    return this.#known.get(log)?.hostId;
  }

  /** The last sequence of a log that arrived: what comes again is not taken again. */
  reachedOf(log: string): number {
    return this.#known.get(log)?.reached ?? 0;
  }

  /** Something arrived in FLEET, good or bad; also what came before. */
  arrived(log: string, hostId: string, sequence: number): void {
    this.#fleetEnd = { log, sequence };
    this.#events += 1;
    const known = this.#known.get(log);
    if (known === undefined) this.#known.set(log, { hostId, reached: sequence, clock: "", parts: 0 });
    else known.reached = Math.max(known.reached, sequence);
  }

  unreadable(place: string, reason: string): void {
    if (this.#unreadable.length < MOST_UNREADABLE) this.#unreadable.push([place, reason]);
  }

  /** An event of a host's log, after `arrived`; of each log each once and in order. */
  applyHost(event: RecordedEvent): void {
    const { log, sequence } = event;
    const { clock } = event.header;
    const known = this.#known.get(log)!;
    let open = this.#logs.get(log);
    if (open === undefined) {
      open = { first: sequence, firstClock: clock, last: sequence, ...nothingYet() };
      this.#logs.set(log, open);
    }
    open.last = sequence;
    if (clock > known.clock) known.clock = clock;
    if (event.type === "HostLogOpened") known.previous = event.data.previous?.logId;
    const leaving = mayForget(event) ? [...(this.world.view.logs.get(log)?.departures.values() ?? [])] : [];
    this.#apply(event);
    this.#noteForgotten(open, event, leaving);
    this.#noteEntry(open, event);
  }

  applyControl(event: RecordedEvent): void {
    const { sequence, header } = event;
    const span = this.#controlSpan;
    if (span === undefined) this.#controlSpan = { first: sequence, firstClock: header.clock, last: sequence };
    else span.last = sequence;
    if (header.clock > this.#control.clock) this.#control.clock = header.clock;
    this.#apply(event);
  }

  /** CONTROL was read up to here, good or bad. */
  controlReached(sequence: number): void {
    this.#control.reached = sequence;
    this.#events += 1;
  }

  /** Ends the round. The world may change at once; nothing of the draft does. */
  take(fleet: number): DraftRound {
    const blocks: Block[] = [];
    const keep = (key: string, text: string) => blocks.push({ key, text }) - 1;
    const logs = [...this.#logs].map(([log, open]) => this.#draftLog(log, open, keep));
    const controlPart = this.#draftControl(fleet, keep);
    this.#number += 1;
    const rest = {
      number: this.#number,
      fleet,
      ...(this.#fleetEnd === undefined ? {} : { fleetEnd: this.#fleetEnd }),
      control: this.#control.reached,
      slices: this.#slices,
      unreadable: this.#unreadable,
    };
    this.#logs = new Map();
    this.#controlSpan = undefined;
    this.#controlForgot = false;
    this.#slices = [];
    this.#unreadable = [];
    this.#events = 0;
    return {
      number: rest.number,
      blocks,
      round: (places) => ({
        ...rest,
        ...(controlPart === undefined ? {} : { controlPart: controlPart(places) }),
        logs: logs.map((made) => made(places)),
      }),
    };
  }

  #draftLog(
    log: string,
    open: OpenLog,
    keep: (key: string, text: string) => number,
  ): (places: readonly BlockPlace[]) => LogPart {
    const known = this.#known.get(log)!;
    const view = this.world.view.logs.get(log);
    const { hostId, clock } = known;
    const { first, firstClock, last, entries, machines, volumes } = open;
    const hasAllHistories = known.parts % HISTORY_PARTS === 0;
    known.parts += 1;
    const added = hasAllHistories ? (view?.histories.all() ?? []) : entries;
    const forgotten: Forgotten = { machines, volumes };
    const state = keep(stateKey(log, last), view === undefined ? "" : logStateText(view, known.previous));
    const histories = keep(historiesKey(log, last), historyLines(added));
    const forgets = machines.length + volumes.length > 0;
    const forgot = forgets ? keep(forgottenKey(log, last), JSON.stringify(forgotten)) : undefined;
    const span: Span = { first, firstClock, last, clock };
    return (places) => ({
      log,
      hostId,
      ...span,
      state: places[state]!,
      histories: places[histories]!,
      hasAllHistories,
      ...(forgot === undefined ? {} : { forgotten: places[forgot]! }),
    });
  }

  #draftControl(fleet: number, keep: (key: string, text: string) => number) {
    const span = this.#controlSpan;
    if (span === undefined && !this.#controlForgot) return undefined;
    const { clock, reached } = this.#control;
    const state = keep(
      controlKey({ number: this.#number + 1, control: reached, fleet }),
      controlStateText(this.world.view),
    );
    return (places: readonly BlockPlace[]) => ({
      state: places[state]!,
      ...(span === undefined ? {} : { span: { ...span, clock } }),
    });
  }

  #apply(event: RecordedEvent): void {
    const reason = this.world.apply(event);
    if (reason !== undefined) this.unreadable(`${event.log}:${event.sequence}`, reason);
    const ms = wallMsOf(event.header.clock);
    const failures = isFailure(event) ? 1 : 0;
    const { id } = event.header;
    const last = this.#slices.at(-1);
    if (last === undefined || last.events >= SLICE_EVENTS) {
      this.#slices.push({ firstMs: ms, lastMs: ms, events: 1, failures, leastId: id, greatestId: id });
      return;
    }
    const open = last as { -readonly [K in keyof RoundSlice]: RoundSlice[K] };
    open.firstMs = Math.min(open.firstMs, ms);
    open.lastMs = Math.max(open.lastMs, ms);
    open.events += 1;
    open.failures += failures;
    if (id < open.leastId) open.leastId = id;
    if (id > open.greatestId) open.greatestId = id;
  }

  #noteForgotten(open: OpenLog, event: RecordedEvent, leaving: readonly Departure[]): void {
    const log = this.world.view.logs.get(event.log);
    if (log === undefined) return;
    const gone = leaving.filter(({ machineId }) => !log.departures.has(machineId));
    open.machines.push(...gone);
    for (const { machineId } of gone) open.entries.delete(machineId);
    if (event.type === "VolumeDestroyed") {
      const volume = log.host.volumes.get(event.data.volumeId);
      if (volume !== undefined) open.volumes.push({ id: volume.id, epoch: volume.epoch });
    }
    if (gone.length > 0 || event.type === "VolumeDestroyed") this.#controlForgot = true;
  }

  /** The entry that the event has just added to its machine's history. */
  #noteEntry(open: OpenLog, event: RecordedEvent): void {
    if (!isMachineEvent(event as RecordedEvent<HostLogEvent>)) return;
    const { machineId } = (event as RecordedEvent<MachineEvent>).data;
    const machine = this.world.view.logs.get(event.log)?.host.machines.get(machineId);
    if (machine === undefined) return;
    const entry = historyEntry(event as RecordedEvent<MachineEvent>, machine);
    if (entry === undefined) return;
    const before = open.entries.get(machineId);
    if (before === undefined) open.entries.set(machineId, [entry]);
    else if (before.push(entry) > HISTORY_LENGTH) before.shift();
  }
}

/** Blocks are named by what they hold, so that none is taken for another. */
export const stateKey = (log: string, last: number) => `state ${log}:${last}`;
export const historiesKey = (log: string, last: number) => `histories ${log}:${last}`;
export const forgottenKey = (log: string, last: number) => `forgotten ${log}:${last}`;
export const controlKey = ({ number, control, fleet }: Pick<Round, "number" | "control" | "fleet">) =>
  `control ${number} ${control} ${fleet}`;

function nothingYet(): Pick<OpenLog, "entries" | "machines" | "volumes"> {
  return { entries: new Map(), machines: [], volumes: [] };
}

/** The events with which a host's memory of machines ends may make it forget earlier ones. */
function mayForget({ type }: RecordedEvent): boolean {
  return type === "MachineDestroyed" || type === "MachineReleased";
}
