import { decisionsReproducible } from "../redecide/reproducible.ts";
import { capacityCountedRight, cordonedHostTakesNothingNew, noOvercommit } from "./hosts.ts";
import type { Invariant } from "./invariant.ts";
import { leasesRespected } from "./leases.ts";
import { clockSane, logWithoutGaps } from "./logs.ts";
import { oneStartAtATime, operationsTakeTurns, statesFollowTheTable } from "./machines.ts";
import { addressesNeverShared, namesUniquePerApp, portsNeverShared } from "./names.ts";
import { everyOperationEnds } from "./operations.ts";
import { agentEpochOnlyGrows, epochOnlyGrows, oneHostPerMachine, onePlacePerEpoch } from "./placement.ts";
import { noRouteToStoppedMachine } from "./routes.ts";
import { oneWriterPerVolume, snapshotOfKnownVolume } from "./volumes.ts";

/** All that has to hold of every history, whatever clocks, hosts and requests do. */
export const INVARIANTS: readonly Invariant[] = [
  oneWriterPerVolume,
  noOvercommit,
  oneHostPerMachine,
  noRouteToStoppedMachine,
  everyOperationEnds,
  leasesRespected,
  statesFollowTheTable,
  oneStartAtATime,
  operationsTakeTurns,
  onePlacePerEpoch,
  epochOnlyGrows,
  agentEpochOnlyGrows,
  addressesNeverShared,
  portsNeverShared,
  namesUniquePerApp,
  cordonedHostTakesNothingNew,
  capacityCountedRight,
  snapshotOfKnownVolume,
  logWithoutGaps,
  clockSane,
];

/**
 * What is checked only where somebody names it. Decisions of an earlier release may well come out otherwise today, and
 * nothing is wrong with that.
 */
export const ON_REQUEST: readonly Invariant[] = [decisionsReproducible];
