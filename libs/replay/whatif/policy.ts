import type { Deciders } from "../redecide/deciders.ts";

/** Apart or close is by default what the policy is: a wish that was the one default becomes the other. */
const DEFAULT_ANTI_AFFINITY = { spread: "soft", pack: "none" } as const;

/** Ranks by another policy than the one that was asked for. */
export function rankedBy(policy: "spread" | "pack", rank: Deciders["rank"]): Deciders["rank"] {
  return (drawn, sought) => {
    const { antiAffinity: asked } = sought;
    const isDefault = asked === DEFAULT_ANTI_AFFINITY[sought.policy];
    const antiAffinity = isDefault ? DEFAULT_ANTI_AFFINITY[policy] : asked;
    return rank(drawn, { ...sought, policy, antiAffinity });
  };
}
