import { readTraces } from "#event-log";
import { RefusedError, refusal } from "#kernel";
import { why } from "#replay";
import type { CliContext } from "../context.ts";
import { parseMoment } from "./moment.ts";
import { type SourceFlags, withTimeline } from "./open-timeline.ts";
import { explanationText } from "./why-text.ts";

export interface WhyFlags extends SourceFlags {
  readonly request?: string;
  readonly at: string;
}

/** `drover replay why`. */
export async function showWhy(context: CliContext, what: string | undefined, flags: WhyFlags): Promise<void> {
  const output = context.output(flags);
  const question = questionOf(what, flags.request);
  const nowMs = context.clock.nowMs();
  await withTimeline(context, flags, output, async ({ timeline, hub }) => {
    const at = await parseMoment(timeline, flags.at, nowMs);
    const findTrace = async (requestId: string) =>
      hub === undefined ? undefined : (await readTraces(hub, requestId))[0];
    const explanation = await why(timeline, question, at, findTrace, nowMs);
    output.result(explanation, explanationText(explanation));
  });
}

function questionOf(what: string | undefined, requestId: string | undefined) {
  if (what !== undefined && requestId !== undefined) {
    throw new RefusedError(refusal("invalid", `"${what}" and --request: ask about one of them`));
  }
  if (what !== undefined) return { id: what };
  if (requestId === undefined) {
    const message = "name what is to be explained: a machine, volume, host, request, operation or event";
    throw new RefusedError(refusal("invalid", message));
  }
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(requestId)) {
    const message = `--request: "${requestId}" is no request's id: the header Fly-Request-Id of each answer has it`;
    throw new RefusedError(refusal("invalid", message));
  }
  return { kind: "request", id: requestId } as const;
}
