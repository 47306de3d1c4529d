import { z } from "zod";

/** The frozen form of a step and a run, as events carry it. The types are the kernel's. */
export const stepSpecSchema = z.strictObject({
  name: z.string(),
  input: z.unknown().optional(),
  timeoutMs: z.number().int().positive(),
  maxAttempts: z.number().int().positive(),
  backoffMs: z.number().int().min(0),
  delayMs: z.number().int().min(0).optional(),
});

/** An operation as the event that begins it writes it down. */
export const operationStartSchema = z.strictObject({
  id: z.string(),
  kind: z.string(),
  steps: z.array(stepSpecSchema).min(1),
  startedAtMs: z.number(),
  /** The operation whose end began this one. */
  parentId: z.string().optional(),
  parentKind: z.string().optional(),
  /** What the command belongs to that began it, where that is not the command itself: a request's id. Since version 2. */
  correlationId: z.string().optional(),
});
export type OperationStart = z.infer<typeof operationStartSchema>;

const stepErrorSchema = z.strictObject({ code: z.string(), message: z.string() });
export const stepErrorShape = stepErrorSchema;

/** A step did its work. `step` repeats the name for readers; `operationId` and order say which one it was. */
export const stepCompletedSchema = z.strictObject({
  operationId: z.string(),
  step: z.string(),
  output: z.record(z.string(), z.unknown()).nullable(),
});

/** An attempt failed and another one will follow. */
export const stepFailedSchema = z.strictObject({
  operationId: z.string(),
  step: z.string(),
  attempt: z.number().int().positive(),
  error: stepErrorSchema,
  retryAfterMs: z.number().optional(),
});
