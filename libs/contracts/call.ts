import { z } from "zod";
import { REFUSAL_CODES, type Refusal } from "#kernel";

/**
 * A typed request over the bus. It is never queued: when nobody answers by the deadline the caller is told, because a
 * start that runs hours later is worse than one that failed.
 */
export interface Call<Q extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> {
  readonly verb: string;
  readonly request: Q;
  readonly answer: A;
}

/** What travels beside every request: who asked, why, and how long the caller will wait. */
export const callMetaSchema = z.strictObject({
  /** ULID, minted once at the edge and kept through every retry: it makes the command idempotent. */
  commandId: z.string().min(1).max(128),
  correlationId: z.string().min(1).max(128),
  causationId: z.string().min(1).max(128),
  actor: z.string().min(1).max(200),
  /** The sender's hybrid clock: what is decided on the strength of this is later (`HybridClock.merge`). */
  clock: z
    .string()
    .regex(/^[0-9a-f]{12}-[0-9a-f]{4}$/)
    .optional(),
  /** Milliseconds that were left when the request was sent. A duration, not an instant: clocks differ (F20). */
  deadlineMs: z.number().int().min(0),
});
export type CallMeta = z.infer<typeof callMetaSchema>;

const refusalSchema: z.ZodType<Refusal> = z.object({
  code: z.enum(REFUSAL_CODES),
  message: z.string(),
  retryAfterMs: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const positionSchema = z.record(z.string(), z.number().int().min(0));

/** Who answered: tells one answerer's repeats from several answerers. */
const from = z.string().optional();

/** The answer's envelope. Refusals are answers too: only silence is an error of the transport. */
export const replySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("answer"), answer: z.unknown(), from }),
  z.object({ kind: z.literal("refused"), refusal: refusalSchema, from }),
]);
export type Reply = z.infer<typeof replySchema>;

export const requestSchema = z.object({ meta: callMetaSchema, body: z.unknown() });

/** Declares a call. */
export function call<Q extends z.ZodType, A extends z.ZodType>(
  verb: string,
  request: Q,
  answer: A,
): Call<Q, A> {
  return { verb, request, answer };
}

export type RequestOf<C extends Call> = z.infer<C["request"]>;
export type AnswerOf<C extends Call> = z.infer<C["answer"]>;
