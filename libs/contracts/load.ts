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
