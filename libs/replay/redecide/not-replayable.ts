/** A decision that cannot be made again, and why: too little of what it was made from was written down. */
export interface NotReplayable {
  readonly kind: "not-replayable";
  readonly reason: string;
}

export function notReplayable(reason: string): NotReplayable {
  return { kind: "not-replayable", reason };
}

export function isNotReplayable(value: object): value is NotReplayable {
  return "kind" in value && value.kind === "not-replayable";
}
