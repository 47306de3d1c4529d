import type { Effect, StepContext } from "#operations";

/** An effect that takes something of the machine away: idempotent, and nothing to tell. */
export function remove(forget: (machineId: string) => Promise<void>): Effect {
  return async ({ subjectId }: StepContext) => {
    await forget(subjectId);
    return null;
  };
}
