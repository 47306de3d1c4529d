import type { ReplayStep } from "#contracts";
import type { Trouble } from "../api/trouble.ts";
import { FIRST_TEMPO, type Tempo } from "./tempo.ts";

/** What of the player is shown. A new object whenever something is otherwise. */
export interface PlayerSnapshot {
  /** Nothing has been shown yet. */
  readonly empty: boolean;
  /** A moment is being fetched. */
  readonly seeking: boolean;
  readonly playing: boolean;
  /** Playing waits for steps that are on their way. */
  readonly buffering: boolean;
  readonly live: boolean;
  readonly tempo: Tempo;
  /** The moment shown, epoch milliseconds: of the last event, or later while time passes without any. */
  readonly atMs: number;
  /** The last event that has happened, if any. */
  readonly step: ReplayStep | undefined;
  /** The moment as the API takes it. */
  readonly moment: string;
  /** Sequence by log. Changed in place. */
  readonly position: ReadonlyMap<string, number>;
  readonly trouble: Trouble | undefined;
}

export const NOTHING_SHOWN: PlayerSnapshot = {
  ...{ empty: true, seeking: false, playing: false, buffering: false, live: false },
  tempo: FIRST_TEMPO,
  ...{ atMs: 0, step: undefined, moment: "now", position: new Map(), trouble: undefined },
};
