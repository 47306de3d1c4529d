import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import { type MachineRecord, machinePath, whyNot } from "../machine-record.ts";
import type { Output } from "../output.ts";

/** The longest that the API waits in one request. */
const WAIT_S = 60;
/** Whoever waits longer than this is told what for. */
const QUIET_MS = 1_000;

export type Wanted = "started" | "stopped" | "destroyed";

/**
 * Waits until a machine has settled, and returns its state. One that started and is through already has done what was
 * wanted when its process ended with 0. Throws a refusal that says why when it came to anything else.
 */
export async function awaitMachine(
  api: ApiClient,
  machine: MachineRecord,
  wanted: Wanted,
  output: Output,
): Promise<string> {
  const telling = setTimeout(() => output.progress(`waiting for ${machine.name} to be ${wanted}`), QUIET_MS);
  try {
    const path = `${machinePath(machine)}/wait?state=settled&timeout=${WAIT_S}`;
    const { state } = await api.get<{ state: string }>(path, "state");
    if (state === wanted || (wanted === "stopped" && state === "destroyed")) return state;
    const problem = await problemOf(api, machine, state, wanted);
    if (problem === undefined) return state;
    throw new RefusedError(refusal("effect_failed", problem));
  } finally {
    clearTimeout(telling);
  }
}

async function problemOf(
  api: ApiClient,
  machine: MachineRecord,
  state: string,
  wanted: Wanted,
): Promise<string | undefined> {
  const { last_exit: exit, error } = (await api.get<MachineRecord>(machinePath(machine), "drover")).drover;
  if (wanted === "started" && error === undefined && exit !== undefined) {
    if (exit.exit_code === 0 && !exit.oom_killed) return undefined;
    const how = exit.oom_killed ? "ran out of memory" : `ended with exit code ${exit.exit_code}`;
    return `${machine.name} started and ${how}: see \`drover logs ${machine.id}\``;
  }
  const reason = await whyNot(api, machine);
  const what = `${machine.name} is ${state} instead of ${wanted}`;
  return reason === undefined ? `${what}: see \`drover events ${machine.id}\`` : `${what}: ${reason}`;
}
