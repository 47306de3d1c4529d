import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { CliContext, CommonFlags } from "../context.ts";
import { type EventRecord, findMachine, machinePath } from "../machine-record.ts";
import { table } from "../output.ts";
import { wholeNumber } from "../settings.ts";

interface EventsFlags extends CommonFlags {
  readonly limit: string;
  readonly follow?: boolean;
  readonly app?: string;
  readonly host?: string;
  readonly type?: string;
}

export function registerEvents(program: Command, context: CliContext): void {
  program
    .command("events")
    .argument("[machine]", "id, name, or app/name; with --follow, all of them without one")
    .summary("what happened to a machine, newest first; or everything as it happens")
    .option("--limit <n>", "how many of a machine's, at most 50", "20")
    .option("-f, --follow", "go on until Ctrl-C, oldest first, also through restarts of the API")
    .option("--app <name>", "with --follow: of this app and its machines")
    .option("--host <id>", "with --follow: of this host's log")
    .option("--type <name>", "with --follow: of this type, e.g. MachineStarted")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only; with --follow one object per line")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover events my-machine\n  $ drover events --follow --app hello --type MachineStarted\n",
    )
    .action(async (key: string | undefined, flags: EventsFlags) => {
      if (flags.follow === true) return follow(context, key, flags);
      return list(context, key, flags);
    });
}

async function list(context: CliContext, key: string | undefined, flags: EventsFlags): Promise<void> {
  const limit = wholeNumber(flags.limit, "--limit", 1, 50);
  const { app, host, type } = flags;
  if (key === undefined || app !== undefined || host !== undefined || type !== undefined) {
    const message =
      "name one machine, or follow what happens with --follow; `drover replay log` has all of the past";
    throw new RefusedError(refusal("invalid", message));
  }
  const api = await context.api(flags);
  const machine = await findMachine(api, key);
  const events = await api.list<EventRecord>(`${machinePath(machine)}/events?limit=${limit}`);
  const rows = events.map((event) => [
    new Date(event.timestamp).toISOString(),
    event.type,
    event.status,
    event.source,
    event.request === undefined ? "" : JSON.stringify(event.request),
  ]);
  context.output(flags).result(events, table(["TIME", "TYPE", "STATUS", "SOURCE", "MORE"], rows));
}

async function follow(context: CliContext, key: string | undefined, flags: EventsFlags): Promise<void> {
  const tail = wholeNumber(flags.limit, "--limit", 1, 50);
  // Loaded when it is needed: it brings all schemas, and `--help` shall be quick.
  const [{ followEvents }, { eventLine }] = await Promise.all([
    import("../events/follow-events.ts"),
    import("../replay/event-line.ts"),
  ]);
  const api = await context.api(flags);
  const output = context.output(flags);
  const { app, host, type } = flags;
  const machine = key === undefined ? undefined : (await findMachine(api, key)).id;
  const asked = { app, host, type, machine, tail: machine === undefined ? undefined : String(tail) };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  const wish = Object.fromEntries(given) as Record<string, string>;
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const ground = { api, clock: context.clock, notice: (line: string) => output.progress(line) };
  for await (const event of followEvents(ground, wish, interrupted.signal))
    output.line(event, eventLine(event));
}
