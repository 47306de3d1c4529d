import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { findMachine, listMachines, type MachineRecord, machinePath } from "../machine-record.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "./up.ts";

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

/** The longest that the API waits in one request. */
const WAIT_S = 60;

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

async function onEach(
  context: CliContext,
  flags: LifecycleFlags,
  keys: readonly string[],
  wanted: string,
  act: Act,
): Promise<void> {
  if (keys.length === 0) throw new RefusedError(refusal("invalid", "name at least one machine"));
  const api = await context.api(flags);
  // All are found before the first is touched: a typing error changes nothing.
  const machines = await Promise.all(keys.map((key) => findMachine(api, key)));
  await apply(context.output(flags), api, machines, flags.wait ? wanted : undefined, act);
}

async function apply(
  output: Output,
  api: ApiClient,
  machines: readonly MachineRecord[],
  wanted: string | undefined,
  act: Act,
): Promise<void> {
  const done: { id: string; name: string; state: string }[] = [];
  for (const machine of machines) {
    await act(api, machine);
    const state = wanted === undefined ? "accepted" : await waitFor(api, machine, wanted);
    done.push({ id: machine.id, name: machine.name, state });
    output.progress(`${machine.name} (${machine.id}): ${state}`);
  }
  output.result(done, done.map((machine) => machine.id).join("\n"));
}

/** Waits until the machine is in the state. Throws when it fails instead, or takes longer than the API waits. */
export async function waitFor(api: ApiClient, machine: MachineRecord, wanted: string): Promise<string> {
  const states = wanted === "started" ? "started,failed,destroyed" : `${wanted},failed`;
  const path = `${machinePath(machine)}/wait?state=${states}&timeout=${WAIT_S}`;
  const { state } = await api.get<{ state: string }>(path);
  if (state === wanted) return state;
  const message = `${machine.name} is ${state} instead of ${wanted}: see \`drover events ${machine.id}\` and \`drover logs ${machine.id}\``;
  throw new RefusedError(refusal("effect_failed", message));
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
  await apply(context.output(flags), api, machines, flags.wait ? "destroyed" : undefined, act);
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
