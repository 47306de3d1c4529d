import { z } from "zod";
import { resourcesSchema } from "../machine-config.ts";
import { stepErrorShape } from "./operation.ts";

const refusalShape = z.strictObject({ hostId: z.string(), code: z.string(), message: z.string() });

/** A host's bid as the placement decision saw it: less what the same scheduler was offering it just then. `volumeMib`: since version 3. */
const bidShape = z.strictObject({
  /** Less than none where more was being offered than the host has. */
  free: z.strictObject({
    cpuMillis: z.number().int(),
    memoryMib: z.number().int(),
    volumeMib: z.number().int().optional(),
  }),
  capacity: resourcesSchema,
  machineCount: z.number(),
  appMachineCount: z.number(),
});

/** A host that would have taken it, and how it was ranked. `bid`: since version 2. */
const candidateShape = z.strictObject({
  hostId: z.string(),
  score: z.number(),
  random: z.number(),
  bid: bidShape.optional(),
});

/** What was asked of a place. `regions`: as asked for, the preferred one first. */
const placementWishShape = z.strictObject({
  regions: z.string(),
  policy: z.enum(["spread", "pack"]),
  antiAffinity: z.enum(["none", "soft", "hard"]),
  features: z.array(z.string()),
});

/** What a decision about a place was made from, and of which epoch it is. */
const deciding = {
  appName: z.string(),
  epoch: z.number().int().positive(),
  wish: placementWishShape.optional(),
  refusals: z.array(refusalShape),
};

const hostnameOfApp = { hostname: z.string(), appName: z.string(), appId: z.string() };

/**
 * Events of what belongs to no host, on `evt.control.<kind>.<name>`: one subject per aggregate, each append guarded
 * by the subject's expected last sequence. Golden: versions are added, never changed.
 */
export const controlEvents = {
  AppCreated: z.strictObject({
    appName: z.string(),
    appId: z.string(),
    orgSlug: z.string(),
    network: z.string(),
    createdAtMs: z.number(),
  }),
  AppDeleted: z.strictObject({ appName: z.string(), appId: z.string() }),
  /** A machine name within an app belongs to this machine id, until that machine is destroyed. */
  MachineNameClaimed: z.strictObject({
    appName: z.string(),
    name: z.string(),
    machineId: z.string(),
    claimedAtMs: z.number(),
  }),
  /** An `Idempotency-Key` was used for the first time: a repeat drives the same command, and the same machine or volume. */
  IdempotencyKeyClaimed: z.strictObject({
    keyHash: z.string(),
    requestHash: z.string(),
    machineId: z.string().optional(),
    /** Since version 2. */
    volumeId: z.string().optional(),
    commandId: z.string(),
    claimedAtMs: z.number(),
  }),
  /** Which host owns a machine, since which epoch, and what that was decided from. */
  PlacementDecided: z.strictObject({
    machineId: z.string(),
    appName: z.string(),
    hostId: z.string(),
    epoch: z.number().int().positive(),
    region: z.string(),
    /** Since version 2. */
    wish: placementWishShape.optional(),
    candidates: z.array(candidateShape),
    refusals: z.array(refusalShape),
  }),
  /** No host took the machine. The id stays unused unless the same command is driven again. */
  PlacementRefused: z.strictObject({
    machineId: z.string(),
    appName: z.string(),
    epoch: z.number().int().positive(),
    /** Since version 2. */
    wish: placementWishShape.optional(),
    error: stepErrorShape,
    refusals: z.array(refusalShape),
  }),
  /** Which host owns a volume, for good: a volume's id lives in one host's log (I6). */
  VolumePlacementDecided: z.strictObject({
    volumeId: z.string(),
    ...deciding,
    hostId: z.string(),
    region: z.string(),
    candidates: z.array(candidateShape),
  }),
  /** No host took the volume. */
  VolumePlacementRefused: z.strictObject({ volumeId: z.string(), ...deciding, error: stepErrorShape }),
  HostRegistered: z.strictObject({
    hostId: z.string(),
    region: z.string(),
    logId: z.string(),
    /** Name of the JetStream stream and domain that FLEET sources. */
    stream: z.string(),
    domain: z.string(),
    registeredAtMs: z.number(),
  }),
  TokenCreated: z.strictObject({
    tokenId: z.string(),
    name: z.string(),
    secretHash: z.string(),
    createdAtMs: z.number(),
    expiresAtMs: z.number().optional(),
  }),
  TokenRevoked: z.strictObject({ tokenId: z.string() }),
  /** Requests for this host go to that app from now on. `appId`: a later app of that name does not have it. */
  HostnameClaimed: z.strictObject({ ...hostnameOfApp, claimedAtMs: z.number() }),
  HostnameReleased: z.strictObject(hostnameOfApp),
  /**
   * A projection was not what a host's log folds to, and was made anew from it (F07). `expected`: the hash that the host told
   * at that place of its log; `found`: the projection's own; `fresh`: that of a fold of the log as the hub has it, which says
   * whose fault it is.
   */
  DriftFound: z.strictObject({
    ...{ projection: z.string(), hostId: z.string(), logId: z.string(), sequence: z.number().int() },
    ...{ expected: z.string(), found: z.string(), fresh: z.string() },
    /** Where the projection differed from the fresh fold, as paths, the first few. */
    differences: z.array(z.string()),
  }),
} as const;
