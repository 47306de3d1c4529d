import { join } from "node:path";
import { readText, writeWhole } from "../files.ts";

/** How volumes are laid out on disk today. It goes up when an older agent would misread what a newer one has made. */
const FORMAT = 1;

/** Why this agent must not touch what is in a store's folder; undefined when it may, or nothing says a format. Changes nothing. */
export async function refusedFormat(dir: string): Promise<string | undefined> {
  const found = (await readText(formatFileIn(dir)))?.trim();
  if (found === undefined || found === String(FORMAT)) return undefined;
  const wanted = `this agent knows format ${FORMAT}`;
  return `volumes are in format ${found.slice(0, 20)} and ${wanted}: run the version that made them`;
}

/**
 * Throws unless what is in a store's folder is of the format that this agent knows; before anything is touched (F29). A store
 * says it from its first opening on; those of before have the first one.
 */
export async function demandFormat(dir: string): Promise<void> {
  const reason = await refusedFormat(dir);
  if (reason !== undefined) throw new Error(reason);
  await writeWhole(formatFileIn(dir), `${FORMAT}\n`);
}

function formatFileIn(dir: string): string {
  return join(dir, "format");
}
