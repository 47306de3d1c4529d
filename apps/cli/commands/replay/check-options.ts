import type { Command } from "commander";

/** What part of history `bisect` and `verify` look at. */
export function checkOptions(command: Command): Command {
  return command
    .option("--machine <machine>", "what is about one machine (id or name)")
    .option("--host <host>", "what is about one host, and what is there")
    .option("--volume <volume>", "what is about one volume (id or name)")
    .option("--app <app>", "what is about one app, its machines and its volumes")
    .option(
      "--since <moment>",
      "begin there, with the state of things as it was: a time, or after a position or an event's id",
    )
    .option("--until <moment>", "end there: a time, a position, or an event's id")
    .option("--data <dir>", "data directory");
}
