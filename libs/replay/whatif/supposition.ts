import type { RecordedEvent } from "#contracts";
import type { World } from "#timeline";
import { baseOf, worldFrom } from "../archive/base-parts.ts";
import { eventRef } from "../event-ref.ts";
import { happened } from "../export/relive.ts";
import { type Deciders, PRESENT_DECIDERS } from "../redecide/deciders.ts";
import { type Redecided, redecide } from "../redecide/redecide.ts";
import type { SupposedChange } from "./change.ts";
import { divergedBefore, divergedData, divergedFacts } from "./compare-worlds.ts";
import type { Divergence, WhatIf } from "./divergence.ts";
import { rankedBy } from "./policy.ts";
import { SupposedHistory } from "./supposed-history.ts";

/**
 * Lives through history with a change, event by event: each decision is made anew in a world in which the change has
 * happened. Only decides and folds: nothing is asked, nothing is sent, no effect is performed.
 */
export class Supposition {
  /** The world as it would be. */
  readonly world: World;
  /** The world as it was, for as long as the two may differ. */
  readonly #actual: World | undefined;
  readonly #history: SupposedHistory;
  readonly #deciders: Deciders;
  readonly #most: number;
  readonly #divergences: Divergence[] = [];
  readonly #notReplayable: Record<string, number> = {};
  #events = 0;
  #decisions = 0;

  /** `before`: the world in which it begins, changed in place from now on. `most`: divergences until it is enough. */
  constructor(before: World, change: SupposedChange, most = 1) {
    this.world = before;
    this.#most = most;
    this.#history = new SupposedHistory(change);
    const deciders = { ...PRESENT_DECIDERS, ...change.deciders };
    const { policy } = change;
    this.#deciders = policy === undefined ? deciders : { ...deciders, rank: rankedBy(policy, deciders.rank) };
    const changesEvents =
      change.drop !== undefined || change.edit !== undefined || change.insert !== undefined;
    this.#actual = changesEvents || most > 1 ? worldFrom(baseOf(before)) : undefined;
  }

  /** Whether as many divergences were found as were asked for. */
  get isEnough(): boolean {
    return this.#divergences.length >= this.#most;
  }

  /** Takes the next event as it was recorded. */
  take(recorded: RecordedEvent): void {
    this.#events += 1;
    for (const { event, isGiven } of this.#history.instead(recorded)) {
      if (isGiven) this.world.apply(event);
      else this.#decide(event);
      if (this.isEnough) return;
    }
    this.#actual?.apply(recorded);
  }

  /** What came of it. Throws a refusal where the change is about an event that never came. */
  result(): WhatIf {
    if (!this.isEnough) this.#history.assertComplete();
    return {
      divergences: this.#divergences,
      position: { ...this.world.position },
      ...{ events: this.#events, decisions: this.#decisions, notReplayable: this.#notReplayable },
    };
  }

  #decide(event: RecordedEvent): void {
    const outcome = redecide(event, this.world, this.#deciders);
    if (outcome.kind === "not-replayable") {
      this.#notReplayable[outcome.reason] = (this.#notReplayable[outcome.reason] ?? 0) + 1;
    } else this.#decisions += 1;
    if (outcome.kind === "differs") this.#divergences.push(this.#divergence(event, outcome));
    if (this.isEnough) return;
    const instead = happened(event, outcome);
    if (instead !== undefined) this.world.apply(instead);
  }

  #divergence(event: RecordedEvent, outcome: Extract<Redecided, { kind: "differs" }>): Divergence {
    const { world } = this;
    const { decision, type, data } = event;
    return {
      event: eventRef(event),
      position: { ...world.position },
      command: { type: decision?.command ?? type, inputs: decision?.inputs ?? {} },
      recorded: { type, data } as Divergence["recorded"],
      instead: outcome.instead,
      data: divergedData(event, outcome.event),
      facts: divergedFacts(world, event, happened(event, outcome)),
      before: this.#actual === undefined ? [] : divergedBefore(this.#actual, world, event),
    };
  }
}
