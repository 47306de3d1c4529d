import type { RecordedEvent, RequestTrace } from "#contracts";
import { type RequestStory, requestStory } from "#fleet";
import { RefusedError, refusal, wallMsOf } from "#kernel";
import { summaryOf } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { withHub } from "../hub.ts";
import { harmless } from "../output.ts";

export interface WhyFlags extends CommonFlags {
  readonly request: string;
}

/** `drover replay why --request`. */
export async function why(context: CliContext, flags: WhyFlags): Promise<void> {
  const output = context.output(flags);
  const { request: requestId } = flags;
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(requestId)) {
    const message = `--request: "${requestId}" is no request's id: the header Fly-Request-Id of each answer has it`;
    throw new RefusedError(refusal("invalid", message));
  }
  await withHub(context, flags, async (nc) => {
    const onBad = (bad: string) => output.progress(`cannot be read: ${bad}`);
    const story = await requestStory(nc, requestId, onBad);
    if (story === undefined) throw new RefusedError(refusal("not_found", nothingOf(requestId)));
    output.result(story, storyText(story));
  });
}

function nothingOf(requestId: string): string {
  return (
    `nothing is told of request ${requestId}: either it passed without waiting, or it is not over yet, or its ` +
    "trace has gone (they are kept for 7 days), or no router of this cluster had it"
  );
}

/** The story for people: what the router did, then what hosts did for it, in milliseconds since the request arrived. */
export function storyText({ trace, events }: RequestStory): string {
  const stages = trace.stages.map(
    (stage) => `${afterText(stage.afterMs)}  ${stage.stage.replace("_", " ").padEnd(11)}${aboutText(stage)}`,
  );
  const did = events.map((event) => eventText(event, trace));
  const hosts = did.length === 0 ? [] : ["", "On its hosts:", ...did];
  return [headline(trace), "", ...stages, ...hosts].map(harmless).join("\n");
}

function headline({ requestId, method, path, appName, routerId, atMs, status }: RequestTrace): string {
  const end = status === undefined ? "its client went away before an answer" : `answered ${status}`;
  const at = new Date(atMs).toISOString();
  return `${requestId}: ${method} ${path} of app ${appName}, through ${routerId} at ${at}, ${end}`;
}

/** What a stage means, beyond its name. */
const MEANINGS: Readonly<Partial<Record<RequestTrace["stages"][number]["stage"], string>>> = {
  held: "it waits",
  asked: "its host is to start it",
  accepted: "its host has written the start down",
  started: "its process runs",
  connected: "its program took the connection",
};

function aboutText({ stage, machineId, hostId, reason }: RequestTrace["stages"][number]): string {
  const who = machineId === undefined ? [] : [`${machineId} on ${hostId ?? "?"}`];
  const said = [MEANINGS[stage] ?? [], reason === undefined ? [] : `(${reason})`].flat();
  return [...who, said.join(" ")].filter((part) => part !== "").join(": ");
}

function eventText(event: RecordedEvent, { atMs, requestId }: RequestTrace): string {
  const { clock, correlationId } = event.header;
  const [, , hostId, , machineId] = event.subject.split(".");
  const owner = correlationId === requestId ? "" : `  for request ${correlationId}`;
  const what = `${event.type.padEnd(18)} ${summaryOf(event)}`.trimEnd();
  return `${afterText(wallMsOf(clock) - atMs)}  ${hostId}/${machineId}  ${what}${owner}`;
}

function afterText(ms: number): string {
  return `${ms < 0 ? "-" : "+"}${Math.abs(ms).toFixed(1)} ms`.padStart(12);
}
