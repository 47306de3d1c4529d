import type { Command } from "commander";
import type { CliContext, CommonFlags } from "../context.ts";
import { findMachine, listMachines, type MachineRecord } from "../machine-record.ts";
import { age, harmless, table } from "../output.ts";

interface ListFlags extends CommonFlags {
  readonly app?: string;
}

export function registerMachines(program: Command, context: CliContext): void {
  program
    .command("machines")
    .argument("[machine]", "id, name, or app/name: show this one whole")
    .summary("list machines, or show one")
    .option("--app <name>", "machines of this app only")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover machines --app hello\n")
    .action(async (key: string | undefined, flags: ListFlags) => {
      const api = await context.api(flags);
      const output = context.output(flags);
      if (key !== undefined) {
        const machine = await findMachine(api, key);
        return output.result(machine, describe(machine));
      }
      const machines = await listMachines(api, flags.app);
      return output.result(machines, machinesTable(machines, context.clock.nowMs()));
    });
}

/** One line per machine. */
export function machinesTable(machines: readonly MachineRecord[], nowMs: number): string {
  if (machines.length === 0) return "no machines yet: `drover run IMAGE` makes one";
  const rows = machines.map((machine) => [
    machine.id,
    machine.drover.app,
    machine.name,
    machine.state,
    machine.drover.host,
    machine.drover.ipv4,
    age(Date.parse(machine.created_at), nowMs),
    machine.config.image,
    remark(machine),
  ]);
  return table(["ID", "APP", "NAME", "STATE", "HOST", "ADDRESS", "AGE", "IMAGE", ""], rows);
}

/** Why it is as it is, in a few words. */
function remark(machine: MachineRecord): string {
  const { waiting_for: waiting, error, last_exit: exit } = machine.drover;
  if (waiting?.last_error !== undefined)
    return `${waiting.step}, attempt ${waiting.attempt}: ${waiting.last_error.message}`;
  if (waiting !== undefined) return `${waiting.operation}: ${waiting.step}`;
  if (error !== undefined) return error.message;
  if (exit === undefined || machine.state === "started") return "";
  return exit.oom_killed ? "out of memory" : `exit ${exit.exit_code}`;
}

function describe(machine: MachineRecord): string {
  const lines: [string, string][] = [
    ["id", machine.id],
    ["app", machine.drover.app],
    ["name", machine.name],
    ["state", machine.state],
    ["why", remark(machine)],
    ["host", `${machine.drover.host} (region ${machine.region})`],
    ["address", `${machine.drover.ipv4}, ${machine.private_ip}`],
    ["image", machine.config.image],
    ["version", machine.instance_id],
    ["created", machine.created_at],
    ["updated", machine.updated_at],
  ];
  return lines
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(9)}${harmless(value)}`)
    .join("\n");
}
