import { readFile, stat } from "node:fs/promises";
import { archivedEventSchema, issueText, type RecordedEvent, unarchive, VOCABULARY } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import type { SupposedChange } from "#replay";
import type { Timeline } from "#timeline";
import { absolute } from "../settings.ts";

/** What is changed, as flags say it. */
export interface ChangeFlags {
  readonly policy?: string;
  readonly drop: readonly string[];
  readonly edit?: string;
  readonly set: readonly string[];
  readonly insert?: string;
  readonly after?: string;
}

/** A change without deciders: plain data. */
export type PlainChange = Omit<SupposedChange, "deciders">;

const MOST_INSERTED_BYTES = 16 * 1024 * 1024;

/** Reads the flags. Throws a refusal that says which is wrong, and how. */
export async function changeOf(timeline: Timeline, flags: ChangeFlags): Promise<PlainChange> {
  const { policy, drop, edit, set, insert, after } = flags;
  if (policy !== undefined && policy !== "spread" && policy !== "pack") {
    throw invalid(`--policy: "${policy}" is none: use spread or pack`);
  }
  if ((edit === undefined) !== (set.length === 0)) throw invalid("--edit and --set go together: give both");
  if ((insert === undefined) !== (after === undefined)) {
    throw invalid("--insert and --after go together: give both");
  }
  for (const id of [...drop, edit, after]) if (id !== undefined) assertId(id);
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(drop.length === 0 ? {} : { drop }),
    ...(edit === undefined ? {} : { edit: new Map([[edit, edited(await eventOf(timeline, edit), set)]]) }),
    ...(insert === undefined || after === undefined
      ? {}
      : { insert: new Map([[after, await inserted(insert)]]) }),
  };
}

function assertId(id: string): void {
  if (/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) return;
  throw invalid(`"${id}" is no event's id: \`drover replay log --json\` shows them`);
}

async function eventOf(timeline: Timeline, id: string): Promise<RecordedEvent> {
  const event = await timeline.history.event(id);
  if (event !== undefined) return event;
  throw new RefusedError(refusal("not_found", `the logs hold no event ${id}`));
}

/** The event's data with some of its members set: the value as JSON where it is that, else as text. */
export function edited(event: RecordedEvent, set: readonly string[]): RecordedEvent["data"] {
  const data = structuredClone(event.data);
  for (const one of set) {
    const at = one.indexOf("=");
    const path = one.slice(0, Math.max(at, 0));
    if (path === "") throw invalid(`--set: "${one}" is not path=value, like capacity.memoryMib=512`);
    put(data as Record<string, unknown>, path.split("."), asValue(one.slice(at + 1)), one);
  }
  const checked = VOCABULARY.schemaOf(event.type)?.safeParse(data);
  if (checked?.success === true) return data;
  const what = checked === undefined ? "its type is not known" : issueText(checked.error);
  throw invalid(`--set: that would be no ${event.type}: ${what}`);
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown, text: string): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (name === "" || name === "__proto__") throw invalid(`--set: "${text}" is not path=value`);
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const next = Object.hasOwn(into, name) ? into[name] : {};
  if (typeof next !== "object" || next === null) throw invalid(`--set: "${text}": ${name} has no members`);
  into[name] = next;
  put(next as Record<string, unknown>, rest, value, text);
}

function asValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function inserted(file: string): Promise<RecordedEvent[]> {
  const path = absolute(file, "--insert");
  const { size } = await stat(path);
  if (size > MOST_INSERTED_BYTES) throw invalid(`${file} is larger than ${MOST_INSERTED_BYTES} bytes`);
  const lines = (await readFile(path, "utf8"))
    .split("\n")
    .map((line, index) => ({ line, number: index + 1 }));
  const events = lines.filter(({ line }) => line.trim() !== "");
  if (events.length === 0) throw invalid(`${file} is empty: put events into it, one to a line`);
  return events.map(({ line, number }) => parsed(line, `${file}, line ${number}`));
}

function parsed(line: string, place: string): RecordedEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw invalid(`${place}: it is not JSON`);
  }
  const checked = archivedEventSchema.safeParse(json);
  if (!checked.success) throw invalid(`${place}: no event: ${issueText(checked.error)}`);
  const event = unarchive(checked.data, true);
  if (event.kind === "bad") throw invalid(`${place}: ${event.reason}`);
  return event.event;
}

function invalid(message: string): RefusedError {
  return new RefusedError(refusal("invalid", message));
}
