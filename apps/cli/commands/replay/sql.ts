import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { SqlFlags } from "../../replay/sql.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerSql(replay: Command, context: CliContext): void {
  replay
    .command("sql")
    .argument("[query]", "one SELECT; see --tables for what there is")
    .summary("a question in SQL to all events, and to the state of everything at a moment")
    .option("--at <moment>", "the moment of the state, and the last one of events; now unless told otherwise")
    .option("--since <moment>", "only events after this one")
    .option("--until <moment>", "only events up to this one")
    .option("--host <id>", "only events of this host's log")
    .option("--machine <id>", "only events of this machine (whole id)")
    .option("--volume <id>", "only events of this volume (whole id)")
    .option(
      "--max-events <n>",
      "refuse to load more events than this (100000); each takes about 4 kB of memory",
    )
    .option("--timeout <time>", "how long the question may take, e.g. 90s (30s)")
    .option("--tables", "print the tables and their columns")
    .option("--data <dir>", "data directory")
    .option("--json", "one JSON object per row")
    .addHelpText(
      "after",
      `
Example:
  $ drover replay sql "SELECT type, count(*) FROM events GROUP BY type ORDER BY 2 DESC" --since 1h
  $ drover replay sql "SELECT id, host, state FROM machines WHERE state <> 'started'" --at 10m
`,
    )
    .action(async (query: string | undefined, flags: SqlFlags) =>
      (await import("../../replay/sql.ts")).sql(context, query, flags),
    );
}
