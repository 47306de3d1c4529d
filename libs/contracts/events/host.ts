import { z } from "zod";
import { REFUSAL_CODES } from "#kernel";
import { publishSchema, resourcesSchema } from "../machine-config.ts";

const host = { hostId: z.string() };
/** What something is about: one of the two. `volumeId`: since the version in which a machine's id may be missing. */
const about = { machineId: z.string().optional(), volumeId: z.string().optional() };

/** Events of a host itself, on `evt.host.<hostId>.host`. Golden: versions are added, never changed. */
export const hostEvents = {
  /** First event of every log: which log it is, and what it continues (`state` is then the canonical state so far). */
  HostLogOpened: z.strictObject({
    ...host,
    logId: z.string(),
    region: z.string(),
    clusterId: z.string(),
    /** The host's IPv4 subnet as a /16 prefix, e.g. "10.213". Machines' addresses come from it. */
    subnet: z.string(),
    previous: z
      .strictObject({ logId: z.string(), sequence: z.number(), reason: z.string(), state: z.unknown() })
      .optional(),
  }),
  /** An agent took over the log; whoever appended before is fenced from here on (I1). */
  AgentEpochClaimed: z.strictObject({
    ...host,
    epoch: z.number().int().positive(),
    agentVersion: z.string(),
    bootId: z.string(),
  }),
  /** What really is there, measured at start and when it changes (F25). `capacity.volumeMib`: since version 2. */
  HostCapacityMeasured: z.strictObject({
    ...host,
    capacity: resourcesSchema,
    maxMachines: z.number().int(),
    features: z.array(z.string()),
  }),
  /** Since version 3 also for a volume: `volumeId`, `resources.volumeMib`. */
  ReservationMade: z.strictObject({
    ...host,
    reservationId: z.string(),
    ...about,
    /** Since version 2. */
    appName: z.string().optional(),
    epoch: z.number().int().positive(),
    resources: resourcesSchema,
    ports: z.array(publishSchema),
    ttlMs: z.number().int().positive(),
  }),
  ReservationEnded: z.strictObject({
    ...host,
    reservationId: z.string(),
    reason: z.enum(["expired", "released"]),
  }),
  /**
   * The host said no to a commit, and will say no to that epoch for good: only then may another host be made the owner.
   * A commit that was on its way for long finds this and makes nothing. Since version 2 also of a volume.
   */
  CommitRefused: z.strictObject({
    ...host,
    reservationId: z.string(),
    ...about,
    epoch: z.number().int().positive(),
    code: z.enum(REFUSAL_CODES),
    message: z.string(),
  }),
  HostCordoned: z.strictObject({ ...host, owner: z.string(), reason: z.string(), expiresAtMs: z.number() }),
  HostUncordoned: z.strictObject({ ...host, owner: z.string(), reason: z.string() }),
  /** The runtime holds what the log does not know. It is left alone and reported: fail closed (F21). */
  UnknownContainerFound: z.strictObject({ ...host, containerId: z.string(), reason: z.string() }),
  /** Something a person should look at: a diverged log, a clock far off, a disk nearly full. */
  HostAlarmRaised: z.strictObject({ ...host, alarm: z.string(), message: z.string() }),
  /** Offers and host commands that were refused, coalesced as for machines. `volumeId`: since version 2. */
  HostCommandRefused: z.strictObject({
    ...host,
    command: z.string(),
    ...about,
    code: z.string(),
    message: z.string(),
    count: z.number().int().positive(),
  }),
} as const;
