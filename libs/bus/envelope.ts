import {
  type AnswerOf,
  type Call,
  type CallMeta,
  firstIssue,
  type Reply,
  type RequestOf,
  replySchema,
  requestSchema,
} from "#contracts";
import { type Refusal, type Result, refusal } from "#kernel";

/** A request as the answering side sees it: checked. */
export interface Request<C extends Call> {
  readonly meta: CallMeta;
  readonly body: RequestOf<C>;
}

/** What came back, and from whom. */
export interface Answered<C extends Call> {
  readonly result: Result<AnswerOf<C>>;
  readonly from: string | undefined;
}

/** A request as text, checked before it leaves: what the other side would refuse is not sent. */
export function encodeRequest<C extends Call>(c: C, body: RequestOf<C>, meta: CallMeta): Result<string> {
  const checked = requestSchema.safeParse({ meta, body });
  if (!checked.success) return invalid(`${c.verb}: ${firstIssue(checked.error)}`);
  const checkedBody = c.request.safeParse(body);
  if (!checkedBody.success) return invalid(`${c.verb}: ${firstIssue(checkedBody.error)}`);
  return { kind: "answer", answer: JSON.stringify({ meta: checked.data.meta, body: checkedBody.data }) };
}

/** Reads a request. Whatever is wrong with it is a refusal `invalid`, never a throw. */
export function decodeRequest<C extends Call>(c: C, data: Uint8Array): Result<Request<C>> {
  const parsed = parseJson(data);
  if (parsed === undefined) return invalid(`${c.verb}: the request is not JSON`);
  const envelope = requestSchema.safeParse(parsed);
  if (!envelope.success) return invalid(`${c.verb}: ${firstIssue(envelope.error)}`);
  const body = c.request.safeParse(envelope.data.body);
  if (!body.success) return invalid(`${c.verb}: ${firstIssue(body.error)}`);
  return { kind: "answer", answer: { meta: envelope.data.meta, body: body.data as RequestOf<C> } };
}

/** A reply as text. Throws when the answer does not match the call's schema: a bug of the handler. */
export function encodeReply(c: Call, result: Result<unknown>, from: string): string {
  if (result.kind === "refused") return JSON.stringify({ ...result, from } satisfies Reply);
  const checked = c.answer.safeParse(result.answer);
  if (!checked.success) throw new Error(`the answer does not match its schema: ${firstIssue(checked.error)}`);
  return JSON.stringify({ kind: "answer", answer: checked.data, from } satisfies Reply);
}

/** Reads a reply. One that makes no sense is a refusal `effect_failed`: what the other side did is not known. */
export function decodeReply<C extends Call>(c: C, data: Uint8Array): Answered<C> {
  const reply = replySchema.safeParse(parseJson(data));
  if (!reply.success) return { result: senseless(c, firstIssue(reply.error)), from: undefined };
  const { from } = reply.data;
  if (reply.data.kind === "refused")
    return { result: { kind: "refused", refusal: reply.data.refusal }, from };
  const answer = c.answer.safeParse(reply.data.answer);
  if (!answer.success) return { result: senseless(c, firstIssue(answer.error)), from };
  return { result: { kind: "answer", answer: answer.data as AnswerOf<C> }, from };
}

/** A refusal as a result. */
export function refusedWith(reason: Refusal): { readonly kind: "refused"; readonly refusal: Refusal } {
  return { kind: "refused", refusal: reason };
}

function invalid(message: string) {
  return refusedWith(refusal("invalid", message));
}

function senseless(c: Call, issue: string) {
  return refusedWith(refusal("effect_failed", `the answer to ${c.verb} does not match its schema: ${issue}`));
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}
