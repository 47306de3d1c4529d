import { z } from "zod";

/** What a host can do or has, as its agent measured it or its operator named it: "container", "arch=x64", "ssd". */
export const featureSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.=-]{0,62}$/, "a feature is letters, digits and _ . = -, at most 63");

/** Which hosts suit a machine, beside its region: `placement` in its config. Drover's own. */
export const placementSchema = z.strictObject({
  /** `spread`: the emptiest host; `pack`: the fullest that still has room. */
  policy: z.enum(["spread", "pack"]).optional(),
  /** The host has all of these. */
  features: z.array(featureSchema).max(16).optional(),
  /** Of machines of one app: `soft` keeps them apart where that is possible, `hard` everywhere. */
  anti_affinity: z.enum(["none", "soft", "hard"]).optional(),
});

/** A `placement` with every default filled in. */
export interface PlacementRules {
  readonly policy: "spread" | "pack";
  readonly antiAffinity: "none" | "soft" | "hard";
  readonly features: readonly string[];
}

/** Spread also means apart from machines of the same app; packed machines want to be close to each other. */
export function placementRulesOf(placement: z.infer<typeof placementSchema> = {}): PlacementRules {
  const { policy = "spread", features = [], anti_affinity } = placement;
  return { policy, antiAffinity: anti_affinity ?? (policy === "pack" ? "none" : "soft"), features };
}

/** Stands for all regions that were not named. */
const ANY_REGION = "any";
const REGION = "[A-Za-z0-9_-]{1,64}";

/** Regions in the order in which they are wanted, as in `POST /platform/placements`: "ams", "ams,fra", "ams,any". */
export const regionsSchema = z
  .string()
  .regex(new RegExp(`^${REGION}(,${REGION}){0,15}$`), "regions are names with commas between them");

/** The regions that an expression of `regionsSchema` names, in its order. `known`: all that `any` may stand for. */
export function regionsOf(expression: string, known: readonly string[]): string[] {
  const named = expression.split(",");
  const others = known.filter((region) => !named.includes(region));
  return [...new Set(named.flatMap((region) => (region === ANY_REGION ? others : region)))];
}
