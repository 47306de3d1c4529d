import { z } from "zod";
import type { Effect } from "#operations";
import type { VolumeStore } from "#runtime";
import type { VolumeStep } from "#volumes";

const sized = z.object({ sizeBytes: z.number() });
const restored = sized.extend({ snapshotId: z.string() });
const forked = sized.extend({ volumeId: z.string() });
const kept = z.object({ volumeId: z.string() });

/** One effect per step name of libs/volumes. A volume or a snapshot is known to its store by its id. */
export function volumeEffectsOf(store: VolumeStore): Readonly<Record<VolumeStep, Effect>> {
  return {
    "make-volume": async ({ subjectId, step, signal }) => {
      await store.create(subjectId, sized.parse(step.input).sizeBytes, signal);
      return { fstype: store.kind };
    },
    "restore-volume": async ({ subjectId, step, signal }) => {
      const { sizeBytes, snapshotId } = restored.parse(step.input);
      await store.restore(snapshotId, subjectId, sizeBytes, signal);
      return { fstype: store.kind };
    },
    "fork-volume": async ({ subjectId, step, signal }) => {
      const { sizeBytes, volumeId } = forked.parse(step.input);
      await store.fork(volumeId, subjectId, sizeBytes, signal);
      return { fstype: store.kind };
    },
    "extend-volume": async ({ subjectId, step, signal }) => {
      await store.extend(subjectId, sized.parse(step.input).sizeBytes, signal);
      return null;
    },
    "remove-volume": async ({ subjectId, signal }) => {
      await store.remove(subjectId, signal);
      return null;
    },
    "make-snapshot": async ({ subjectId, step, signal }) => {
      const { volumeId } = kept.parse(step.input);
      return { sizeBytes: await store.snapshot(volumeId, subjectId, signal) };
    },
    "remove-snapshot": async ({ subjectId, signal }) => {
      await store.removeSnapshot(subjectId, signal);
      return null;
    },
  };
}
