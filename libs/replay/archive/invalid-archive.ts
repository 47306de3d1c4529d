import { RefusedError, refusal } from "#kernel";

/** A file that is no archive, or not a whole one: says which line, and what is wrong with it. */
export function invalidArchive(name: string, line: number, what: string): RefusedError {
  return new RefusedError(refusal("invalid", `${name}, line ${line}: ${what}`, { details: { line } }));
}
