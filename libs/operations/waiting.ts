import { type OperationRun, parentWaitingFor, type StepError, type WaitingFor, waitingFor } from "#kernel";

/** What an unfinished operation of a subject waits for. */
export interface Waiting extends WaitingFor {
  readonly subjectId: string;
}

/** An unfinished run as the runner holds it. `halt` says why it does not go on at present. */
export interface UnfinishedRun {
  readonly subjectId: string;
  readonly run: OperationRun;
  readonly halt?: StepError;
}

/** What each run waits for, parents before their children (I9). */
export function describeWaiting(unfinished: readonly UnfinishedRun[]): Waiting[] {
  const ids = new Set(unfinished.map(({ run }) => run.id));
  const childOf = new Map(unfinished.map(({ run }) => [run.parentId, run.id]));
  return unfinished.flatMap(({ subjectId, run, halt }) => {
    const parent = run.parentId !== undefined && ids.has(run.parentId) ? undefined : parentWaitingFor(run);
    const own = waitingFor(run);
    const childId = childOf.get(run.id);
    return [
      ...(parent === undefined ? [] : [{ subjectId, ...parent }]),
      ...(own === undefined
        ? []
        : [
            {
              subjectId,
              ...own,
              ...(childId === undefined ? {} : { childId }),
              ...(halt === undefined ? {} : { lastError: halt }),
            },
          ]),
    ];
  });
}
