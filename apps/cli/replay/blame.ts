import { RefusedError, refusal } from "#kernel";
import { type BlamedFact, blame, fieldNamed } from "#replay";
import { ENTITY_KINDS, formatEntity } from "#timeline";
import type { CliContext } from "../context.ts";
import { table } from "../output.ts";
import { factText } from "./diff.ts";
import { parseMoment } from "./moment.ts";
import { type SourceFlags, withTimeline } from "./open-timeline.ts";

export interface BlameFlags extends SourceFlags {
  readonly at: string;
}

/** `drover replay blame`. */
export async function showBlame(context: CliContext, what: string, flags: BlameFlags): Promise<void> {
  const output = context.output(flags);
  await withTimeline(context, flags, output, async ({ timeline }) => {
    const at = await parseMoment(timeline, flags.at, context.clock.nowMs());
    const { entity, path } = fieldNamed(await timeline.at(at), what, ENTITY_KINDS);
    const facts = await blame(timeline, entity, at, path);
    if (facts.length === 0) {
      const name = formatEntity(entity);
      const message = `${name} has no ${path} at that moment: without a field, all that it has are shown`;
      throw new RefusedError(refusal("not_found", message));
    }
    output.result({ entity, facts }, `${formatEntity(entity)}\n\n${blameText(facts)}`);
  });
}

function blameText(facts: readonly BlamedFact[]): string {
  const rows = facts.map(({ path, value, event, command, carriedOver }) => [
    path,
    factText(value),
    ...(event === undefined
      ? ["no event that is there", "", "", "", ""]
      : [event.type, event.id, new Date(event.atMs).toISOString(), event.actor, command ?? ""]),
    ...(carriedOver === undefined ? [] : [`carried over from log ${carriedOver}`]),
  ]);
  return table(["FIELD", "VALUE", "EVENT", "ID", "TIME", "ACTOR", "COMMAND"], rows);
}
