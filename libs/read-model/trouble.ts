/** Somebody else wrote to a generation meanwhile: what is in memory of it is worth nothing, what it holds is. */
export class DivergedError extends Error {}

/** A generation is not what was written: tables are gone, or nobody can read it. It has to be made anew. */
export class DamagedError extends Error {}

/** What a missing table or column, a missing schema, and a page or index that cannot be read come out as. */
const DAMAGE = new Set(["42P01", "42703", "42804", "3F000", "XX001", "XX002"]);
/** Postgres's classes of errors that lie in the data: another try would meet them again. */
const IN_THE_DATA = /^(22|23|54)/;

/** Whether an error says that the generation is damaged, not that its database is away. */
export function isDamage(error: unknown): boolean {
  return error instanceof DamagedError || DAMAGE.has(stateOf(error));
}

/** Whether an error is the fault of what was to be written. */
export function isInTheData(error: unknown): boolean {
  return IN_THE_DATA.test(stateOf(error));
}

/** An error in one line. Drizzle's own message would repeat the statement with all that it carries. */
export function lineOf(error: unknown): string {
  const cause = causeOf(error);
  const { message, code } = (cause ?? {}) as { readonly message?: string; readonly code?: string };
  return (message || code || String(cause)).split("\n", 1)[0] ?? "";
}

/** The SQLSTATE; "" for what no database said. */
function stateOf(error: unknown): string {
  return String((causeOf(error) as { readonly code?: unknown } | undefined)?.code ?? "");
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
