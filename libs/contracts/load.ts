import { z } from "zod";
import { SUBJECT_TOKEN } from "./subjects.ts";

/** How often a router says to each host what it thinks of that host's machines. */
export const LOAD_LEASE_EVERY_MS = 1_000;
/** A router that was not heard for this long is lost: it may still send requests, so nothing of what it used is stopped. */
export const LOAD_LEASE_TTL_MS = 5_000;
/**
 * A router that gets no answer to its wake may use a machine that runs unasked, so that the loss of the bus stops no
 * request (F08). But not before its host, should it hear other routers, counts this one as lost: so long after it told
 * that host last that the machine is idle.
 */
export const LOAD_LEASE_UNASKED_AFTER_MS = 6_000;

/**
 * A router's load lease, to one host, on plain NATS (`subjects.load`): the latest wins. **A machine listed as idle is
 * closed in that router**: it sends the machine no request before the host has answered its `wake`. So when every live
 * router lists a machine and no `wake` came since, nobody can be in the middle of a request to it.
 */
export const loadLeaseSchema = z.object({
  routerId: z.string().regex(SUBJECT_TOKEN),
  /** Grows with each start of that router: a lease of an earlier life is over. */
  incarnation: z.string().regex(SUBJECT_TOKEN),
  /** Machines that this router has closed, and that may be stopped as far as it knows. */
  idle: z.array(z.string()).max(100_000),
  /** The router ends in good order and holds nothing any more. */
  isLast: z.boolean().optional(),
});
export type LoadLease = z.infer<typeof loadLeaseSchema>;

/**
 * A router's word, on the same subject, that it has let machines go which are on their way down: it sends them nothing any
 * more, and nothing that it sent them is under way. A host waits for it before it asks a process to end, so that no
 * request ends with it. Said at once, and again with each lease for as long as it is so.
 */
export const routerReleaseSchema = z.object({
  routerId: z.string().regex(SUBJECT_TOKEN),
  /** The runs of these machines that end: a word about an earlier run is no word about this one. */
  released: z.array(z.object({ machineId: z.string(), startId: z.string() })).max(100_000),
});
export type RouterRelease = z.infer<typeof routerReleaseSchema>;
