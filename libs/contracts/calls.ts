import { z } from "zod";
import { call, positionSchema } from "./call.ts";
import { execCall } from "./exec.ts";
import { machineConfigSchema, publishSchema, resourcesSchema } from "./machine-config.ts";
import { featureSchema, regionsSchema } from "./placement.ts";
import { SUBJECT_TOKEN } from "./subjects.ts";
import { volumeIdSchema } from "./volume.ts";
import { placeVolumeCall, volumeHostCalls, wantedVolume } from "./volume-calls.ts";

const id = z.string().regex(SUBJECT_TOKEN);
const resources = resourcesSchema;
/** What a machine needs of its host. */
const wantedMachine = {
  machineId: id,
  appName: id,
  resources,
  ports: z.array(publishSchema),
  features: z.array(featureSchema).optional(),
  /** No other machine of its app may be there. */
  isAlone: z.boolean().optional(),
  /** It mounts these: they are there, and nobody else's. */
  volumes: z.array(volumeIdSchema).optional(),
};
/** A machine as its host folds it (`Machine` of libs/machines): domain types stand above this library. */
const machine = z.looseObject({ id: z.string(), state: z.string(), instanceId: z.string() });
const decided = z.object({ position: positionSchema, machine });

const placed = {
  machineId: id,
  appName: id,
  name: id,
  instanceId: id,
  config: machineConfigSchema,
  skipLaunch: z.boolean(),
  /** Made without a word to routers: it takes no requests before it is uncordoned. */
  isCordoned: z.boolean().optional(),
};

/** What a caller may ask one machine to do. Field names are those of the decider's commands. */
export const machineRequestSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("StartMachine") }),
  z.strictObject({
    type: z.enum(["StopMachine", "RestartMachine"]),
    signal: z.string().optional(),
    timeoutMs: z.number().int().min(0).max(300_000).optional(),
  }),
  z.strictObject({ type: z.enum(["SuspendMachine", "CordonMachine", "UncordonMachine"]) }),
  z.strictObject({
    type: z.literal("UpdateMachine"),
    config: machineConfigSchema,
    instanceId: id,
    currentVersion: z.string().optional(),
    skipLaunch: z.boolean(),
  }),
  z.strictObject({ type: z.literal("DestroyMachine"), force: z.boolean() }),
]);
export type MachineRequest = z.infer<typeof machineRequestSchema>;

/** To every host of a region, for a machine or a volume; each answers with a bid or says why not. */
export const bidCall = call(
  "bid",
  z.union([z.object(wantedMachine), z.object(wantedVolume)]),
  z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("bid"),
      hostId: z.string(),
      free: resources,
      capacity: resources,
      machineCount: z.number(),
      appMachineCount: z.number(),
      /** The most machines that the host holds. */
      maxMachines: z.number().optional(),
    }),
    z.object({
      kind: z.literal("no-bid"),
      hostId: z.string(),
      refusal: z.object({ code: z.string(), message: z.string() }),
    }),
  ]),
);

const offered = { epoch: z.number().int().positive(), ttlMs: z.number().int().positive() };

/** The calls that one host's agent answers. */
export const hostCalls = {
  /** Reserve room. The command id of the call is the reservation's id. */
  offer: call(
    "offer",
    z.union([z.object({ ...wantedMachine, ...offered }), z.object({ ...wantedVolume, ...offered })]),
    z.object({ position: positionSchema }),
  ),
  /** Turn the reservation of the same command id into a machine. Idempotent. */
  commit: call("commit", z.object({ ...placed, region: id, epoch: z.number().int().positive() }), decided),
  release: call("release", z.object({ reservationId: id }), z.object({ position: positionSchema })),
  machine: call("machine", z.object({ machineId: id, command: machineRequestSchema }), decided),
  /**
   * A router needs the machine for a request. Answered once it is `started`, however it got there; a machine that runs
   * already is noted as wanted (`loadLeaseSchema`). Many wakes of one machine are one start. Idempotent.
   */
  wake: call("wake", z.object({ machineId: id, routerId: id }), decided),
  exec: execCall,
  get: call("get", z.object({ machineId: id }), decided),
  /** The whole host as it folds itself (`hostToJson` of libs/hosts) with the position that it includes. */
  inspect: call(
    "inspect",
    z.object({}),
    z.object({ position: positionSchema, foldVersion: z.number(), host: z.unknown() }),
  ),
  /** Encoded events of its log from a sequence on: how a reader repairs a gap (F06). */
  events: call(
    "events",
    z.object({
      logId: id,
      fromSequence: z.number().int().positive(),
      limit: z.number().int().positive().max(500),
    }),
    z.object({
      events: z.array(
        z.object({
          subject: z.string(),
          headers: z.record(z.string(), z.string()),
          body: z.string(),
          sequence: z.number(),
        }),
      ),
      lastSequence: z.number(),
    }),
  ),
  /** Lines arrive on `subjects.logLines(hostId, streamId)`; ask again within 30 s to go on following. */
  logs: call(
    "logs",
    z.object({
      machineId: id,
      streamId: id,
      /** Last lines to begin with. */
      tail: z.number().int().min(0).max(10_000),
      follow: z.boolean(),
    }),
    z.object({}),
  ),
  cordon: call(
    "cordon",
    z.discriminatedUnion("kind", [
      z.object({
        kind: z.literal("cordon"),
        owner: z.string().min(1),
        reason: z.string().min(1),
        expiresAtMs: z.number(),
      }),
      z.object({ kind: z.literal("uncordon"), owner: z.string().min(1), reason: z.string() }),
    ]),
    z.object({ position: positionSchema }),
  ),
  ...volumeHostCalls,
} as const;

/** One line of a machine's output, on plain NATS. `end` closes a stream that does not follow. */
export const logLineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("line"),
    atMs: z.number(),
    stream: z.enum(["stdout", "stderr"]),
    text: z.string(),
  }),
  z.object({ kind: z.literal("end") }),
]);
export type LogLine = z.infer<typeof logLineSchema>;

/** The calls that the scheduler answers. */
export const schedulerCalls = {
  /** Find a host and make the machine there. The command id is that of the create. */
  place: call(
    "place",
    z.object({ ...placed, region: regionsSchema }),
    z.object({ hostId: z.string(), epoch: z.number(), position: positionSchema, machine }),
  ),
  placeVolume: placeVolumeCall,
  /** How many machines of one size each region would take at this moment. Promises nothing. */
  survey: call(
    "survey",
    z.object({ region: regionsSchema, resources }),
    z.object({
      /** In the order in which they were asked for. `hosts`: those that would take one. */
      regions: z.array(z.object({ region: z.string(), machines: z.number(), hosts: z.number() })),
    }),
  ),
  /** A host says who it is and where its log stands; the hub says what it holds of that log. */
  register: call(
    "register",
    z.object({
      hostId: id,
      region: id,
      logId: id,
      stream: id,
      domain: id,
      /** Last sequence of the host's log and the id of the event there. */
      lastSequence: z.number().int().min(0),
      lastEventId: z.string(),
    }),
    z.object({
      verdict: z.enum(["ok", "behind", "diverged"]),
      /** Last sequence of that log that the hub holds; 0 for none. */
      hubSequence: z.number(),
      /** Id of the hub's event at the lower of both last sequences, "" at 0: only the host can compare it when the hub is behind. */
      hubEventId: z.string(),
    }),
  ),
  /** What the hub holds of a host's log from a sequence on: for a log that lost its tail. */
  tail: call(
    "tail",
    z.object({
      hostId: id,
      logId: id,
      fromSequence: z.number().int().positive(),
      limit: z.number().int().max(500),
    }),
    hostCalls.events.answer,
  ),
} as const;
