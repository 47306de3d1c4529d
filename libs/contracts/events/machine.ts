import { z } from "zod";
import { computeSchema, machineConfigSchema } from "../machine-config.ts";
import { operationStartSchema, stepCompletedSchema, stepErrorShape, stepFailedSchema } from "./operation.ts";

/** How a machine's process ended. Field names as in Fly's exit events. */
export const exitSchema = z.strictObject({
  exit_code: z.number().int(),
  /** The signal that ended it; 0 when none did. */
  guest_signal: z.number().int(),
  oom_killed: z.boolean(),
  requested_stop: z.boolean(),
  /** Epoch milliseconds, from the monitor's exit file: also for exits nobody watched. */
  exited_at_ms: z.number(),
});
export type MachineExit = z.infer<typeof exitSchema>;

const machine = { machineId: z.string() };
const begins = { ...machine, operation: operationStartSchema };
const asked = { ...machine, commandId: z.string(), origin: z.string() };
const ends = { ...machine, operationId: z.string() };

/** What somebody asked for while an operation was running: it is owed as soon as that one ends (F50). */
export const queuedIntentSchema = z.strictObject({
  intent: z.enum(["start", "stop", "restart", "destroy"]),
  /** The command that asked: it keeps its id when its turn comes, so that a repeated delivery is recognised. */
  commandId: z.string(),
  /** What that command belongs to, where that is not the command itself. Since version 2. */
  correlationId: z.string().optional(),
  origin: z.string(),
  signal: z.string().optional(),
  timeoutMs: z.number().optional(),
  /** A destroy that does not wait: it cuts the running operation short. */
  force: z.boolean().optional(),
});
export type QueuedIntent = z.infer<typeof queuedIntentSchema>;

/** Events of one machine, on `evt.host.<hostId>.machine.<machineId>`. Golden: versions are added, never changed. */
export const machineEvents = {
  /** A reservation was committed: the machine exists, in state creating. */
  MachineCreating: z.strictObject({
    ...begins,
    appName: z.string(),
    name: z.string(),
    region: z.string(),
    epoch: z.number().int().positive(),
    instanceId: z.string(),
    config: machineConfigSchema,
    resources: computeSchema,
    /** IPv4 inside the host's subnet; given once per host's lifetime, never to another machine while it may be in use (F31). */
    ipv4: z.string(),
    /** IPv6 that belongs to the machine id: no other machine ever has it (F31). */
    privateIp: z.string(),
    skipLaunch: z.boolean(),
    /** It takes no requests before it is uncordoned. Since version 3. */
    isCordoned: z.boolean().optional(),
    createdAtMs: z.number(),
  }),
  MachineCreated: z.strictObject({ ...ends, imageDigest: z.string() }),
  /** The first creation or launch failed for good: the machine will be destroyed. */
  MachineLaunchFailed: z.strictObject({ ...ends, error: stepErrorShape }),
  MachineStarting: z.strictObject({ ...begins, origin: z.string() }),
  MachineStarted: z.strictObject({ ...ends, startedAtMs: z.number() }),
  MachineStopping: z.strictObject({ ...begins, origin: z.string() }),
  /** Its process ended without being asked to; `operation` cleans up, for `next`. */
  MachineExited: z.strictObject({
    ...begins,
    exit: exitSchema,
    next: z.enum(["stopping", "restarting", "destroying"]),
  }),
  MachineStopped: z.strictObject({ ...ends, exit: exitSchema.optional() }),
  MachineRestarting: z.strictObject({ ...begins, origin: z.string() }),
  MachineSuspending: z.strictObject(begins),
  MachineSuspended: z.strictObject(ends),
  MachineUpdating: z.strictObject({
    ...begins,
    instanceId: z.string(),
    config: machineConfigSchema,
    resources: computeSchema,
    skipLaunch: z.boolean(),
  }),
  /** An update of a machine that was never started ended: it is `created` again. */
  MachineUpdated: z.strictObject({ ...ends, imageDigest: z.string() }),
  /** An update failed: the config before it is back. `operation`, when there is one, starts the machine again with it. */
  MachineUpdateFailed: z.strictObject({
    ...ends,
    error: stepErrorShape,
    operation: operationStartSchema.optional(),
  }),
  /** An operation failed for good and the machine is in no other right state. */
  MachineFailed: z.strictObject({ ...ends, error: stepErrorShape }),
  MachineDestroying: z.strictObject({ ...begins, origin: z.string() }),
  MachineDestroyed: z.strictObject(ends),
  /** From now on routers send it no new request, and do not have it stopped or woken; it runs or rests as it did. */
  MachineCordoned: z.strictObject(asked),
  MachineUncordoned: z.strictObject(asked),
  /** Ownership moved to another host (compare-and-set in CONTROL); the old log ends here. */
  MachineReleased: z.strictObject({ ...machine, epoch: z.number().int(), toHostId: z.string() }),
  /** A command arrived while an operation was running and is owed next. */
  MachineIntentQueued: z.strictObject({ ...machine, ...queuedIntentSchema.shape }),
  /** What was owed could not be done when its turn came. */
  MachineIntentDropped: z.strictObject({
    ...machine,
    intent: z.enum(["start", "stop", "restart", "destroy"]),
    code: z.string(),
    message: z.string(),
  }),
  StepCompleted: z.strictObject({ ...machine, ...stepCompletedSchema.shape }),
  StepFailed: z.strictObject({ ...machine, ...stepFailedSchema.shape }),
  /** Commands that were refused: the first at once, repeats of the same kind coalesced with a count. */
  CommandRefused: z.strictObject({
    ...machine,
    command: z.string(),
    code: z.string(),
    message: z.string(),
    count: z.number().int().positive(),
  }),
} as const;
