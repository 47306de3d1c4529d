import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { findMachine, listMachines, type MachineRecord, machinePath } from "../machine-record.ts";
import { errorLine, type Output } from "../output.ts";
import { wholeNumber } from "../settings.ts";
import { awaitMachine, type Wanted } from "./await-machine.ts";

interface LifecycleFlags extends CommonFlags {
  readonly wait: boolean;
}
interface StopFlags extends LifecycleFlags {
  readonly signal?: string;
  readonly timeout?: string;
}
interface DestroyFlags extends LifecycleFlags {
  readonly force?: boolean;
  readonly app?: string;
  readonly all?: boolean;
  readonly count?: string;
}

export function registerLifecycle(program: Command, context: CliContext): void {
  common(program.command("start"), "start machines that are stopped", "start my-machine").action(
    async (keys: string[], flags: LifecycleFlags) => {
      await onEach(context, flags, keys, "started", (api, machine) =>
        api.post(`${machinePath(machine)}/start`),
      );
    },
  );
  common(program.command("stop"), "stop machines", "stop my-machine --timeout 10s")
    .option("--signal <name>", "the signal to send first (default: the machine's own, else SIGINT)")
    .option("--timeout <duration>", "kill it after that long, e.g. 10s (at most 300s)")
    .action(async (keys: string[], flags: StopFlags) => {
      await onEach(context, flags, keys, "stopped", (api, machine) =>
        api.post(`${machinePath(machine)}/stop`, { signal: flags.signal, timeout: flags.timeout }),
      );
    });
  common(program.command("restart"), "restart machines", "restart my-machine").action(
    async (keys: string[], flags: LifecycleFlags) => {
      await onEach(context, flags, keys, "started", (api, machine) =>
        api.post(`${machinePath(machine)}/restart`),
      );
    },
  );
  common(program.command("destroy"), "destroy machines", "destroy my-machine --force")
    .option("--force", "also when it runs")
    .option("--app <name>", "with --all: the app whose machines are meant")
    .option("--all", "all machines of the app")
    .option("--count <n>", "with --all: how many there are, as a confirmation")
    .action(async (keys: string[], flags: DestroyFlags) => destroy(context, keys, flags));
}

function common(command: Command, summary: string, example: string): Command {
  return command
    .argument("[machines...]", "ids, names, or app/name; never prefixes")
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .option("--no-wait", "return as soon as the host has accepted it")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", `\nExample:\n  $ drover ${example}\n`);
}

type Act = (api: ApiClient, machine: MachineRecord) => Promise<unknown>;

interface Deed {
  readonly context: CliContext;
  readonly flags: LifecycleFlags;
  readonly api: ApiClient;
  readonly wanted: Wanted;
  readonly act: Act;
}

/** As many machines are worked on at once. */
const AT_ONCE = 16;

async function onEach(
  context: CliContext,
  flags: LifecycleFlags,
  keys: readonly string[],
  wanted: Wanted,
  act: Act,
): Promise<void> {
  if (keys.length === 0) throw new RefusedError(refusal("invalid", "name at least one machine"));
  const api = await context.api(flags);
  // All are found before the first is touched: a typing error changes nothing.
  const found = await Promise.all(keys.map((key) => findMachine(api, key)));
  const once = new Map(found.map((machine) => [machine.id, machine]));
  await apply({ context, flags, api, wanted, act }, [...once.values()]);
}

/** Does it to all, whatever becomes of one. Throws when it did not work with each. */
async function apply(deed: Deed, machines: readonly MachineRecord[]): Promise<void> {
  const output = deed.context.output(deed.flags);
  const done: { id: string; name: string; state: string }[] = [];
  const failures: unknown[] = [];
  const waiting = [...machines];
  const work = async () => {
    for (let machine = waiting.shift(); machine !== undefined; machine = waiting.shift()) {
      const { id, name } = machine;
      try {
        const state = await doTo(deed, machine, output);
        done.push({ id, name, state });
        output.progress(`${name} (${id}): ${state}`);
      } catch (thrown) {
        failures.push(thrown);
        if (machines.length > 1) output.progress(`${name} (${id}): ${errorLine(thrown)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (done.length > 0 || failures.length === 0)
    output.result(done, done.map((machine) => machine.id).join("\n"));
  if (machines.length === 1 && failures.length === 1) throw failures[0];
  if (failures.length === 0) return;
  const message = `${failures.length} of ${machines.length} machines: ${errorLine(failures[0])}`;
  throw new RefusedError(refusal("effect_failed", message));
}

async function doTo({ flags, api, wanted, act }: Deed, machine: MachineRecord, output: Output) {
  await act(api, machine);
  return flags.wait ? awaitMachine(api, machine, wanted, output) : "accepted";
}

async function destroy(context: CliContext, keys: string[], flags: DestroyFlags): Promise<void> {
  const act: Act = (api, machine) => api.delete(`${machinePath(machine)}?force=${flags.force === true}`);
  if (flags.all !== true) return onEach(context, flags, keys, "destroyed", act);
  if (flags.app === undefined || keys.length > 0) {
    throw new RefusedError(refusal("invalid", "--all goes with --app NAME and without machine names"));
  }
  const api = await context.api(flags);
  const machines = await listMachines(api, flags.app);
  if (machines.length === 0) {
    throw new RefusedError(refusal("not_found", `app ${flags.app} has no machines: nothing was destroyed`));
  }
  await confirmCount(machines.length, flags);
  await apply({ context, flags, api, wanted: "destroyed", act }, machines);
}

/** F48: whoever destroys many says how many. */
async function confirmCount(count: number, flags: DestroyFlags): Promise<void> {
  const said = flags.count ?? (await askCount(count, flags.app!));
  if (said !== undefined && wholeNumber(said, "--count", 0, 1_000_000) === count) return;
  const message = `app ${flags.app} has ${count} machines: confirm with --count ${count}; nothing was destroyed`;
  throw new RefusedError(refusal("invalid", message));
}

async function askCount(count: number, app: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`Destroy all ${count} machines of ${app}? Type their number: `);
  } finally {
    terminal.close();
  }
}
