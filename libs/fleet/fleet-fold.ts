import { evolveFleet } from "./evolve.ts";
import { emptyFleet, FLEET_FOLD_VERSION, fleetFromJson, fleetToJson } from "./fleet-view.ts";

/** The fleet as a fold: what a projection is given. */
export const FLEET_FOLD = {
  version: FLEET_FOLD_VERSION,
  empty: emptyFleet,
  evolve: evolveFleet,
  toJson: fleetToJson,
  fromJson: fleetFromJson,
} as const;
