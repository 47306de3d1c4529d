import type { Effects } from "#operations";

/** Where decisions become durable. `settled` resolves once all that was decided so far is. */
export interface Settling {
  settled(): Promise<unknown>;
}

/** Effects begin only when the decision that they follow from is in the log, not merely on its way there (I2). */
export function afterAck(log: Settling, effects: Effects): Effects {
  return Object.fromEntries(
    Object.entries(effects).map(([name, effect]) => [
      name,
      async (step) => {
        await log.settled();
        return effect(step);
      },
    ]),
  ) satisfies Effects;
}
