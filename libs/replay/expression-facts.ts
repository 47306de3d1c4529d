import type { EntityKind } from "#timeline";

export type FactType = "string" | "int" | "bool";

const ERROR = { "error.code": "string", "error.message": "string" } as const;
const OPERATION = {
  "operation.id": "string",
  "operation.kind": "string",
  "operation.step": "string",
  "operation.attempt": "int",
  "operation.error.code": "string",
  "operation.error.message": "string",
} as const;
const RESOURCES = ["cpuMillis", "memoryMib", "volumeMib"] as const;

function resources(of: string): Record<string, FactType> {
  return Object.fromEntries(RESOURCES.map((kind) => [`${of}.${kind}`, "int"]));
}

/** The facts that an expression may speak of, by kind of entity. `id` is every entity's own; an app goes by its `name`. */
export const KNOWN_FACTS: Readonly<Record<EntityKind, Readonly<Record<string, FactType>>>> = {
  machine: {
    ...{ id: "string", app: "string", host: "string", region: "string", epoch: "int", state: "string" },
    ...{ name: "string", instance: "string", ipv4: "string", private_ip: "string", image_digest: "string" },
    ...{ "route.host": "string", "route.state": "string", "route.start": "string" },
    ...{ holds_resources: "bool", start: "string", started_at_ms: "int", queued: "string", restarts: "int" },
    ...{ "exit.exit_code": "int", "exit.guest_signal": "int", "exit.oom_killed": "bool" },
    ...{ "exit.requested_stop": "bool", "exit.exited_at_ms": "int" },
    ...ERROR,
    ...OPERATION,
  },
  host: {
    ...{ id: "string", region: "string", registered_log: "string", log: "string", agent_epoch: "int" },
    ...{ boot: "string", max_machines: "int", machines: "int", reservations: "int", features: "string" },
    ...{ "cordon.owner": "string", "cordon.reason": "string", "cordon.expiresAtMs": "int" },
    ...resources("capacity"),
    ...resources("promised"),
  },
  volume: {
    ...{ id: "string", app: "string", host: "string", epoch: "int", state: "string", name: "string" },
    ...{ size_gb: "int", extending_to_gb: "int", fstype: "string", attached_machine: "string" },
    ...{ source_snapshot: "string", auto_backup: "bool", snapshot_retention_days: "int" },
    ...ERROR,
    ...OPERATION,
  },
  snapshot: {
    ...{ id: "string", host: "string", app: "string", volume: "string", state: "string", origin: "string" },
    ...{ size_bytes: "int" },
    ...ERROR,
    ...OPERATION,
  },
  app: { name: "string", id: "string", org: "string", deleted: "bool" },
  reservation: {
    ...{ id: "string", host: "string", machine: "string", volume: "string", epoch: "int", ttl_ms: "int" },
    ...resources("resources"),
  },
};

/** Paths under which anything may stand: the type follows from what it is compared with. */
export const FREE_FACTS: Readonly<Partial<Record<EntityKind, string>>> = {
  machine: "config",
  app: "hostname",
};

/** What an expression may say of the event itself. */
export const EVENT_FACTS: Readonly<Record<string, FactType>> = {
  ...{ id: "string", type: "string", log: "string", sequence: "int", actor: "string", host: "string" },
  ...{ at_ms: "int", correlation_id: "string", causation_id: "string" },
};
