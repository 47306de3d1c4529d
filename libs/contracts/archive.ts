import { z } from "zod";
import type { RecordedEvent } from "./event.ts";
import { controlEvents } from "./events/control.ts";
import { SUBJECT_TOKEN } from "./subjects.ts";
import { type EventVocabulary, VOCABULARY } from "./upcast.ts";

/** The format of archives that this release writes, and the only one there is. */
export const ARCHIVE_FORMAT = 1;

const logId = z
  .string()
  .regex(SUBJECT_TOKEN)
  .refine((id) => id !== "__proto__", "no log has that name");
const sequence = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);

const entity = z.strictObject({ kind: z.string().max(20), id: z.string().max(256) });
const fact = z.union([z.string(), z.number(), z.boolean()]);

/** What a slice was made small for, so that a test of it knows what to look at. */
export const archiveShowsSchema = z.discriminatedUnion("kind", [
  /** An event of that type breaks that invariant of that entity. */
  z.strictObject({
    kind: z.literal("breaks"),
    invariant: z.string().max(4_000),
    entity,
    type: z.string().max(64),
  }),
  /** That event changes those facts, and no others. */
  z.strictObject({
    kind: z.literal("changes"),
    event: z.string().max(64),
    changes: z
      .array(z.strictObject({ entity, path: z.string(), before: fact.optional(), after: fact.optional() }))
      .readonly(),
  }),
  /** Those are that entity's facts in the end. */
  z.strictObject({ kind: z.literal("facts"), entity, facts: z.record(z.string(), fact).nullable() }),
]);
export type ArchiveShows = z.infer<typeof archiveShowsSchema>;

/**
 * The first line of an archive: events in causal order, one to a line, between this line and a last one that counts them.
 * When it does not begin where its logs do, `parts` lines with the state before it follow at once.
 */
export const archiveHeaderSchema = z.strictObject({
  drover: z.literal("archive"),
  format: z.number().int().positive(),
  /** What it is a slice of, for people. */
  of: z.string().max(1_000),
  /** The position before its first event: empty where all its logs begin in it. */
  after: z.record(logId, sequence),
  /** Wall time of the last event before it, epoch milliseconds; 0 for none. */
  afterMs: z.number().min(0),
  /** Lines of state that follow, and the version of the fold that they were written by. */
  parts: z.number().int().min(0).max(1_000_000),
  foldVersion: z.number().int().min(0),
  /** How many different values were replaced because they may be secret; null: nothing was looked at. */
  redacted: z.number().int().min(0).nullable(),
  shows: archiveShowsSchema.optional(),
  /** Events were left out on purpose, of its logs and of the time that it is of. */
  isPart: z.literal(true).optional(),
});
export type ArchiveHeader = z.infer<typeof archiveHeaderSchema>;

/** A line of the state before: what CONTROL comes to, what one log does, and the little that belongs to neither. */
export const archivePartSchema = z.strictObject({
  part: z.enum(["control", "log", "rest"]),
  state: z.looseObject({}),
});
export type ArchivePart = z.infer<typeof archivePartSchema>;

/** The last line. `sha256`: over all lines before it with their line ends, in hex. */
export const archiveEndSchema = z.strictObject({
  end: z.strictObject({
    events: z.number().int().min(0),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
export type ArchiveEnd = z.infer<typeof archiveEndSchema>;

const word = z.string().min(1).max(256);

/** A line of an event: exactly as it stands in its log. What its type asks of its data comes after this. */
export const archivedEventSchema = z.strictObject({
  type: word,
  log: logId,
  sequence,
  subject: z.string().regex(/^evt\.(host|control)(\.[A-Za-z0-9_-]{1,256}){2,3}$/),
  header: z.strictObject({
    id: word,
    version: z.number().int().positive(),
    clock: z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{4}$/),
    causationId: word,
    correlationId: word,
    actor: word,
  }),
  data: z.looseObject({}),
  decision: z
    .strictObject({
      command: word,
      commandId: word,
      inputs: z.record(z.string(), z.unknown()),
    })
    .optional(),
});
export type ArchivedEvent = z.infer<typeof archivedEventSchema>;

/** An event of an archive in its present version, or why it cannot be read (I10). */
export type Unarchived =
  | { readonly kind: "event"; readonly event: RecordedEvent }
  | { readonly kind: "bad"; readonly reason: string };

/** Brings an event up to date. `deep`: its data are checked too, which once is enough. Never throws. */
export function unarchive(
  line: ArchivedEvent,
  deep: boolean,
  vocabulary: EventVocabulary = VOCABULARY,
): Unarchived {
  const { type, header } = line;
  const schema = vocabulary.schemaOf(type);
  if (schema === undefined) return bad(`type ${type} is not known`);
  const version = vocabulary.currentVersionOf(type);
  if (header.version > version) return bad(`${type} ${header.version} is newer than ${version}`);
  if (line.subject.startsWith("evt.control.") !== type in controlEvents) {
    return bad(`${type} does not belong on ${line.subject}`);
  }
  if (header.version === version && !deep) return { kind: "event", event: line as RecordedEvent };
  let data: unknown = line.data;
  try {
    if (header.version !== version) data = vocabulary.upcast(type, header.version, data);
  } catch (thrown) {
    return bad(`${type} ${header.version} cannot be brought up to date: ${String(thrown)}`);
  }
  const checked = schema.safeParse(data);
  if (!checked.success) return bad(`${type}: ${issueText(checked.error)}`);
  return { kind: "event", event: { ...line, header: { ...header, version }, data } as RecordedEvent };
}

function bad(reason: string): Unarchived {
  return { kind: "bad", reason: reason.slice(0, 500) };
}

/** The first thing that a schema found wrong, in one line: "data.epoch: expected number". */
export function issueText({ issues }: z.ZodError): string {
  const [issue] = issues;
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "it does not match its schema"}`;
}
