import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "./api-client.ts";

/** A machine as the API shows it, as far as the CLI reads it. */
export interface MachineRecord {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly region: string;
  readonly instance_id: string;
  readonly private_ip: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly config: { readonly image: string };
  readonly drover: {
    readonly app: string;
    readonly host: string;
    readonly ipv4: string;
    readonly error?: { readonly code: string; readonly message: string };
    readonly last_exit?: { readonly exit_code: number; readonly oom_killed: boolean };
    readonly waiting_for?: {
      readonly operation: string;
      readonly step: string;
      readonly attempt: number;
      readonly since: string;
      readonly last_error?: { readonly message: string };
    };
  };
}

/** An event as the API shows it, newest first. */
export interface EventRecord {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly source: string;
  readonly timestamp: number;
  readonly request?: { readonly error?: { readonly message: string } };
}

/** Path of a machine in the Machines API. */
export function machinePath(machine: MachineRecord): string {
  return `/v1/apps/${machine.drover.app}/machines/${machine.id}`;
}

/** All machines that exist, of one app or of all. */
export async function listMachines(api: ApiClient, app?: string): Promise<MachineRecord[]> {
  const query = app === undefined ? "" : `?app=${encodeURIComponent(app)}`;
  return api.list<MachineRecord>(`/drover/v1/machines${query}`);
}

/**
 * The machine that a user means: its id, its name when only one machine has it, or `app/name`. Never a prefix (F48).
 */
export async function findMachine(api: ApiClient, key: string): Promise<MachineRecord> {
  const [first = "", second, ...more] = key.split("/");
  if (first === "" || second === "" || more.length > 0) {
    throw new RefusedError(refusal("invalid", `"${key}" names no machine: give an id, a name, or app/name`));
  }
  const query =
    second === undefined
      ? `?key=${encodeURIComponent(first)}`
      : `?app=${encodeURIComponent(first)}&key=${encodeURIComponent(second)}`;
  const found = await api.list<MachineRecord>(`/drover/v1/machines${query}`);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const message = `no machine has the id or name "${key}" (names are not completed): see \`drover machines\``;
    throw new RefusedError(refusal("not_found", message));
  }
  const which = found.map((machine) => `${machine.drover.app}/${machine.name}`).join(", ");
  throw new RefusedError(
    refusal("invalid", `"${key}" is the name of several machines: say which (${which})`),
  );
}

/** Why a machine is not what it was to become: its own error, else the newest event that tells of one. */
export async function whyNot(api: ApiClient, machine: MachineRecord): Promise<string | undefined> {
  const now = await api.get<MachineRecord>(machinePath(machine), "drover");
  if (now.drover.error !== undefined) return now.drover.error.message;
  const events = await api.list<EventRecord>(`${machinePath(machine)}/events?limit=50`);
  return events.find((event) => event.request?.error !== undefined)?.request?.error?.message;
}
