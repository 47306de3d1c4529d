import { join } from "node:path";
import { RefusedError, refusal } from "#kernel";
import { baseOf, type ExportedSlice, exportSlice, invariantOf, Redaction, writeArchive } from "#replay";
import { formatEntity } from "#timeline";
import type { CliContext } from "../context.ts";
import { harmless, type Output } from "../output.ts";
import { absolute, wholeNumber } from "../settings.ts";
import { type CheckedPart, type CheckFlags, checkedPart, scopeKind } from "./check-scope.ts";
import { stretchEvents } from "./export-stretch.ts";
import { assertFree, writeWhole } from "./export-write.ts";
import { type Source, withTimeline } from "./open-timeline.ts";

export interface ExportFlags extends CheckFlags {
  readonly out: string;
  readonly invariant?: string;
  readonly event?: string;
  readonly name?: string;
  readonly minimise: boolean;
  readonly redact: boolean;
  readonly maxRuns: string;
  readonly force?: boolean;
}

/** `drover replay export`. */
export async function exportHistory(context: CliContext, flags: ExportFlags): Promise<void> {
  const output = context.output(flags);
  const out = absolute(flags.out, "--out");
  const isStretch = out.endsWith(".ndjson");
  const maxRuns = wholeNumber(flags.maxRuns, "--max-runs", 1, 1_000_000);
  assertFits(flags, isStretch);
  if (isStretch && flags.force !== true) await assertFree(out);
  await withTimeline(context, flags, output, async (source) => {
    const part = await checkedPart(context, source.timeline, flags);
    if (isStretch) await writeStretch(source, part, flags, out, output);
    else await writeSlice(source, part, flags, { out, maxRuns }, output);
  });
}

function assertFits(flags: ExportFlags, isStretch: boolean): void {
  const invalid = (message: string) => new RefusedError(refusal("invalid", message));
  const { name, invariant, event } = flags;
  const scope = scopeKind(flags);
  if (invariant !== undefined) invariantOf(invariant);
  if (name !== undefined && !/^[A-Za-z0-9_-]{1,100}$/.test(name)) {
    throw invalid(`--name: "${name}": use letters, digits, - and _, at most 100`);
  }
  if (event !== undefined && !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(event)) {
    throw invalid(`--event: "${event}" is no event's id: \`drover replay log --json\` shows them`);
  }
  if (invariant !== undefined && event !== undefined)
    throw invalid("--invariant and --event: use one of them");
  if (isStretch && (invariant ?? event ?? name) !== undefined) {
    throw invalid("--out FILE.ndjson takes a stretch as it is: name a folder for a slice and its test");
  }
  if (!isStretch && invariant === undefined && event === undefined && scope === undefined) {
    throw invalid(
      "name what the slice is to show (--invariant, --event, --machine), or --out FILE.ndjson for all of a stretch",
    );
  }
}

async function writeSlice(
  { timeline }: Source,
  part: CheckedPart,
  flags: ExportFlags,
  { out, maxRuns }: { readonly out: string; readonly maxRuns: number },
  output: Output,
): Promise<void> {
  const { invariant, event, name, minimise, redact } = flags;
  const slice = await exportSlice(timeline, {
    ...part,
    ...{ minimise, redact, maxRuns, onProgress: (line: string) => output.progress(line) },
    ...(invariant === undefined ? {} : { invariant }),
    ...(event === undefined ? {} : { event }),
    ...(name === undefined ? {} : { name }),
  });
  const files = [`${slice.name}.ndjson`, `${slice.name}.spec.ts`].map((file) => join(out, file));
  const isForced = flags.force === true;
  if (!isForced) for (const file of files) await assertFree(file);
  await writeWhole(files[0]!, [slice.archive], isForced);
  await writeWhole(files[1]!, [slice.spec], isForced);
  const { archive: _, spec: __, events, ...told } = slice;
  output.result({ ...told, events: events.length, files }, sliceText(slice, files));
}

function sliceText(slice: ExportedSlice, files: readonly string[]): string {
  const { name, headline, fails, events, considered, runs, isMinimal, redacted } = slice;
  const minimal = isMinimal ? ": none of them can be left out" : "";
  return [
    headline,
    `${events.length} of ${considered} events, after ${runs} tries${minimal}; ${redacted} secrets replaced`,
    ...files.map((file) => `  ${file}`),
    fails
      ? "The test fails with the code that is here now, and passes once the mistake is not made any more."
      : "The test passes with the code that is here now, and fails should it come to decide or fold otherwise.",
    `Run it with: drover test ${name}   (from below test/, libs/ or apps/ of this project)`,
  ]
    .map(harmless)
    .join("\n");
}

function nothingIn(entity: CheckedPart["entity"]): RefusedError {
  const what = entity === undefined ? "no event is" : `no event of ${formatEntity(entity)} is`;
  const message = `${what} in that stretch: look further with --since and --until, or name another`;
  return new RefusedError(refusal("not_found", message));
}

async function writeStretch(
  { timeline }: Source,
  part: CheckedPart,
  flags: ExportFlags,
  out: string,
  output: Output,
): Promise<void> {
  const { since, entity } = part;
  const before = since === undefined ? await timeline.beginning() : await timeline.at(since);
  const begins = Object.keys(before.position).length > 0;
  const base = begins ? baseOf(before) : undefined;
  const events = () => stretchEvents(timeline, part, before);
  if ((await events().next()).done === true) throw nothingIn(entity);
  const redaction = flags.redact ? new Redaction() : undefined;
  if (redaction !== undefined) {
    if (base !== undefined) redaction.noteBase(base);
    for await (const batch of events()) for (const event of batch) redaction.note(event);
  }
  let count = 0;
  async function* written() {
    for await (const batch of events()) {
      count += batch.length;
      yield redaction === undefined ? batch : batch.map((event) => redaction.event(event));
    }
  }
  const of = [
    entity === undefined ? "everything" : formatEntity(entity),
    ...(flags.since === undefined ? [] : [`since ${flags.since}`]),
    ...(flags.until === undefined ? [] : [`until ${flags.until}`]),
  ].join(" ");
  const settings = {
    of,
    isPart: entity !== undefined || timeline.history.isPart,
    ...(base === undefined ? {} : { base: redaction?.base(base) ?? base }),
    ...(redaction === undefined ? {} : { redacted: redaction.replaced }),
  };
  await writeWhole(out, writeArchive(settings, written()), flags.force === true);
  const secrets = redaction === undefined ? "secrets as they are" : `${redaction.replaced} secrets replaced`;
  const text = `${count.toLocaleString("en")} events, ${secrets}: ${out}\nGo on with: drover replay import ${out}`;
  output.result(
    { file: out, events: count, redacted: redaction?.replaced ?? null },
    `${harmless(text.split("\n")[0]!)}\n${text.split("\n")[1]}`,
  );
}
