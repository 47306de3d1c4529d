import { type OperationStart, volumeMibOf } from "#contracts";
import type { OperationRun, StepSpec } from "#kernel";

/**
 * The step lists of all operations on volumes and snapshots. They are copied into the event that begins an operation;
 * changing one here never changes a run that has begun. The host agent has one effect per step name.
 */
export type VolumeStep =
  | "make-volume"
  | "restore-volume"
  | "fork-volume"
  | "extend-volume"
  | "remove-volume"
  | "make-snapshot"
  | "remove-snapshot";

export type VolumeOperationKind =
  | "create-volume"
  | "restore-volume"
  | "fork-volume"
  | "extend-volume"
  | "destroy-volume"
  | "create-snapshot"
  | "destroy-snapshot";

/** Attempts of a step that has to succeed some day: its operation waits, and says so (I9), rather than give up. */
const UNTIL_DONE = 1_000_000;
/** A store without instant copies moves every byte. */
const COPY_TIMEOUT_MS = 3_600_000;

type Timing = Omit<StepSpec, "name" | "input">;
const timings: Readonly<Record<VolumeStep, Timing>> = {
  "make-volume": { timeoutMs: 30_000, maxAttempts: 5, backoffMs: 500 },
  "restore-volume": { timeoutMs: COPY_TIMEOUT_MS, maxAttempts: 5, backoffMs: 500 },
  "fork-volume": { timeoutMs: COPY_TIMEOUT_MS, maxAttempts: 5, backoffMs: 500 },
  "extend-volume": { timeoutMs: 30_000, maxAttempts: 5, backoffMs: 500 },
  "remove-volume": { timeoutMs: 120_000, maxAttempts: UNTIL_DONE, backoffMs: 500 },
  "make-snapshot": { timeoutMs: COPY_TIMEOUT_MS, maxAttempts: 5, backoffMs: 500 },
  "remove-snapshot": { timeoutMs: 120_000, maxAttempts: UNTIL_DONE, backoffMs: 500 },
};

function step(name: VolumeStep, input?: unknown): StepSpec {
  return { name, ...(input === undefined ? {} : { input }), ...timings[name] };
}

/** What begins an operation: its id, the time, and the operation whose end begins it, if one does. */
export interface Occasion {
  readonly id: string;
  readonly atMs: number;
  readonly parent?: OperationRun;
}

function operation({ id, atMs, parent }: Occasion, kind: VolumeOperationKind, only: StepSpec) {
  const begun: OperationStart = { id, kind, steps: [only], startedAtMs: atMs };
  return parent === undefined ? begun : { ...begun, parentId: parent.id, parentKind: parent.kind };
}

export function planCreate(occasion: Occasion, sizeGb: number): OperationStart {
  return operation(occasion, "create-volume", step("make-volume", sized(sizeGb)));
}

export function planRestore(occasion: Occasion, sizeGb: number, snapshotId: string): OperationStart {
  return operation(occasion, "restore-volume", step("restore-volume", { ...sized(sizeGb), snapshotId }));
}

export function planFork(occasion: Occasion, sizeGb: number, volumeId: string): OperationStart {
  return operation(occasion, "fork-volume", step("fork-volume", { ...sized(sizeGb), volumeId }));
}

export function planExtend(occasion: Occasion, sizeGb: number): OperationStart {
  return operation(occasion, "extend-volume", step("extend-volume", sized(sizeGb)));
}

/** Takes the volume's data away for good. */
export function planDestroy(occasion: Occasion): OperationStart {
  return operation(occasion, "destroy-volume", step("remove-volume"));
}

export function planSnapshot(occasion: Occasion, volumeId: string): OperationStart {
  return operation(occasion, "create-snapshot", step("make-snapshot", { volumeId }));
}

export function planDestroySnapshot(occasion: Occasion): OperationStart {
  return operation(occasion, "destroy-snapshot", step("remove-snapshot"));
}

function sized(sizeGb: number) {
  return { sizeBytes: volumeMibOf(sizeGb) * 1024 * 1024 };
}
