import { type JsMsg, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { HEADERS } from "#contracts";
import type { Clock } from "#kernel";
import type { ArrivedEvent, ControlEntry } from "./hub-range.ts";
import { logIdOf } from "./hub-streams.ts";
import { decodeOfControl, placedInFleet } from "./placed-event.ts";
import { CONTROL, FLEET } from "./stream-names.ts";
import { BEGINNING, StreamTail, type TailCursor } from "./stream-tail.ts";

/** Takes what arrives at the hub, as it arrives. */
export interface HubFollower {
  /** Repeats included: a host that is sourced anew brings its log again. */
  arrived(event: ArrivedEvent): void;
  control(entry: ControlEntry): void;
  /** One of the streams is another one than before, or lost its end: sequences mean nothing any more. */
  replaced(): void;
  /** Nothing arrives for now; it is tried again until it does. */
  lost(reason: string): void;
  /** A promise says that no more can be taken before it resolves. */
  room(): Promise<void> | undefined;
}

/** The last sequences of the hub's streams that were read already. */
export interface HubPlace {
  readonly fleet: number;
  readonly control: number;
}

/**
 * Follows CONTROL and FLEET from a place on, through losses of the connection, each message once and in order, until
 * `signal` fires. What FLEET brings comes a little later than on the live feed, and needs no right to hear that.
 */
export async function followHub(
  nc: NatsConnection,
  clock: Clock,
  from: HubPlace,
  follower: HubFollower,
  signal: AbortSignal,
): Promise<void> {
  const [fleetCursor, controlCursor] = await Promise.all([
    cursorAt(nc, FLEET, from.fleet),
    cursorAt(nc, CONTROL, from.control),
  ]);
  let controlLog: string | undefined;
  const owners = new Map<string, string>();
  const shared = {
    caughtUp: () => undefined,
    lost: (reason: string) => follower.lost(reason),
    rewound: () => follower.replaced(),
    room: () => follower.room(),
  };
  const control = new StreamTail(
    nc,
    clock,
    CONTROL,
    {
      ...shared,
      found: (info: StreamInfo) => {
        const log = logIdOf(info);
        if (controlLog !== undefined && controlLog !== log) follower.replaced();
        controlLog = log;
      },
      message: (message: JsMsg) => {
        follower.control({ sequence: message.seq, decoded: decodeOfControl(controlLog!, message) });
      },
    },
    controlCursor,
  );
  const message = (arrived: JsMsg) => {
    const placed = placedInFleet(arrived, (logId) => owners.get(logId));
    if (placed === undefined) return;
    owners.set(placed.logId, placed.hostId);
    follower.arrived({ ...placed, fleetSequence: arrived.seq });
  };
  const fleet = new StreamTail(nc, clock, FLEET, { ...shared, found: () => undefined, message }, fleetCursor);
  await Promise.all([control.run(signal), fleet.run(signal)]);
}

async function cursorAt(nc: NatsConnection, stream: string, sequence: number): Promise<TailCursor> {
  if (sequence === 0) return BEGINNING;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const message = await jsm.streams.getMessage(stream, { seq: sequence });
  return { sequence, eventId: message?.header.get(HEADERS.id) ?? "" };
}
