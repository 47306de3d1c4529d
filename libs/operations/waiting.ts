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

/** What each run waits for; children after the rest, so that they follow their parents (I9). */
export function describeWaiting(unfinished: readonly UnfinishedRun[]): Waiting[] {
  const ids = new Set<string | undefined>(unfinished.map(({ run }) => run.id));
  const childOf = new Map(unfinished.map(({ run }) => [run.parentId, run.id]));
  const isChild = ({ run }: UnfinishedRun) => ids.has(run.parentId);
  const inOrder = [...unfinished].sort((a, b) => Number(isChild(a)) - Number(isChild(b)));
  return inOrder.flatMap((each) => {
    const { subjectId, run, halt } = each;
    const parent = isChild(each) ? undefined : parentWaitingFor(run);
    const own = waitingFor(run);
    const childId = childOf.get(run.id);
    const lines = [
      parent,
      own && {
        ...own,
        ...(childId === undefined ? {} : { childId }),
        ...(halt === undefined ? {} : { lastError: halt }),
      },
    ];
    return lines.flatMap((line) => (line === undefined ? [] : [{ subjectId, ...line }]));
  });
}
