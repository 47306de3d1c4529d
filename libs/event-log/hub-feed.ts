import type { JsMsg, StreamInfo } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { type DecodedEvent, subjects } from "#contracts";
import type { Clock } from "#kernel";
import { logIdOf } from "./hub-streams.ts";
import { endFromLive } from "./live-message.ts";
import {
  decodeOfControl,
  type HostLogName,
  type PlacedEvent,
  placedByLive,
  placedInFleet,
} from "./placed-event.ts";
import { CONTROL, FLEET } from "./stream-names.ts";
import { BEGINNING, StreamTail, type TailCursor } from "./stream-tail.ts";

/** How far the hub's streams were read. */
export interface FeedCursors {
  readonly control: TailCursor;
  readonly fleet: TailCursor;
  readonly controlLog?: string;
}

/** Since when, in epoch milliseconds, nothing arrives, and why. */
export interface FeedLoss {
  readonly sinceMs: number;
  readonly reason: string;
}

export interface HubFeedListener {
  /** Whose log it is, where that is known. */
  ownerOf(logId: string): string | undefined;
  control(log: string, sequence: number, decoded: DecodedEvent): void;
  fleet(placed: PlacedEvent, fleetSequence: number): void;
  live(placed: PlacedEvent): void;
  /** A host says how far its log goes. */
  liveEnd(log: HostLogName, sequence: number): void;
  /** FLEET was created anew or lost its end. All of it comes again. */
  fleetRewound(): void;
  /** CONTROL is not the log that was read before: what was folded from it never happened. All of everything comes again. */
  controlReplaced(): void;
  /** A promise says that no more can be taken before it resolves; what the live feed brings meanwhile comes by FLEET. */
  room(): Promise<void> | undefined;
}

/** Everything that happens, as the hub tells it: CONTROL, FLEET and the live feed, in whatever order they come. */
export class HubFeed {
  readonly #nc: NatsConnection;
  readonly #clock: Clock;
  readonly #listener: HubFeedListener;
  readonly #control: StreamTail;
  readonly #fleet: StreamTail;
  readonly #losses = new Map<string, FeedLoss>();
  readonly #behind = new Set([CONTROL, FLEET]);
  readonly #caughtUp = Promise.withResolvers<void>();
  #controlLog: string | undefined;

  /** `asOfMs`: when the cursors were true, in epoch milliseconds. */
  constructor(
    nc: NatsConnection,
    clock: Clock,
    listener: HubFeedListener,
    from: FeedCursors = { control: BEGINNING, fleet: BEGINNING },
    asOfMs = clock.nowMs(),
  ) {
    this.#nc = nc;
    this.#clock = clock;
    this.#listener = listener;
    this.#controlLog = from.controlLog;
    this.#control = new StreamTail(nc, clock, CONTROL, this.#controlListener(), from.control);
    this.#fleet = new StreamTail(nc, clock, FLEET, this.#fleetListener(), from.fleet);
    for (const stream of this.#behind) this.#losses.set(stream, { sinceMs: asOfMs, reason: "not read yet" });
  }

  /** Resolves once all that stood in both streams at the start has been delivered. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  get isCaughtUp(): boolean {
    return this.#behind.size === 0;
  }

  /** The longest loss that lasts; undefined while everything arrives. */
  get loss(): FeedLoss | undefined {
    return [...this.#losses.values()].sort((a, b) => a.sinceMs - b.sinceMs)[0];
  }

  get cursors(): FeedCursors {
    const cursors = { control: this.#control.cursor, fleet: this.#fleet.cursor };
    return this.#controlLog === undefined ? cursors : { ...cursors, controlLog: this.#controlLog };
  }

  /** Follows until `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    const live = this.#nc.subscribe(subjects.live("*"), {
      callback: (_error, message) => this.#live(message),
    });
    try {
      await Promise.all([this.#control.run(signal), this.#fleet.run(signal)]);
    } finally {
      live.unsubscribe();
    }
  }

  #controlListener() {
    return {
      ...this.#presence(CONTROL),
      found: (info: StreamInfo) => {
        const log = logIdOf(info);
        if (this.#controlLog !== undefined && this.#controlLog !== log) this.#replaceControl();
        this.#controlLog = log;
      },
      rewound: () => this.#replaceControl(),
      message: (message: JsMsg) => {
        const log = this.#controlLog!;
        this.#listener.control(log, message.seq, decodeOfControl(log, message));
      },
    };
  }

  #fleetListener() {
    return {
      ...this.#presence(FLEET),
      rewound: () => this.#listener.fleetRewound(),
      message: (message: JsMsg) => {
        const placed = placedInFleet(message, (logId) => this.#listener.ownerOf(logId));
        if (placed !== undefined) this.#listener.fleet(placed, message.seq);
      },
    };
  }

  #presence(stream: string) {
    return {
      found: () => undefined,
      caughtUp: () => {
        this.#losses.delete(stream);
        this.#behind.delete(stream);
        if (this.#behind.size === 0) this.#caughtUp.resolve();
      },
      lost: (reason: string) => {
        if (!this.#losses.has(stream)) this.#losses.set(stream, { sinceMs: this.#clock.nowMs(), reason });
      },
      room: () => this.#listener.room(),
    };
  }

  #replaceControl(): void {
    this.#controlLog = undefined;
    this.#control.rewind();
    this.#fleet.rewind();
    this.#listener.controlReplaced();
  }

  #live(message: Msg): void {
    if (this.#listener.room() !== undefined) return;
    const hostId = message.subject.slice(subjects.live("").length);
    const end = endFromLive(message);
    if (end !== undefined) {
      this.#listener.liveEnd({ hostId, logId: end.logId }, end.sequence);
      return;
    }
    const placed = placedByLive(hostId, message);
    if (placed !== undefined) this.#listener.live(placed);
  }
}
