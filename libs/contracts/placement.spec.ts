import { describe, expect, it } from "@jest/globals";
import { placementRulesOf, placementSchema, regionsOf, regionsSchema } from "./placement.ts";

describe("a placement", () => {
  it("spreads, and keeps machines of one app apart where it can, unless it is told otherwise", () => {
    expect(placementRulesOf()).toEqual({ policy: "spread", antiAffinity: "soft", features: [] });
    expect(placementRulesOf({ policy: "pack" })).toMatchObject({ antiAffinity: "none" });
    expect(placementRulesOf({ policy: "pack", anti_affinity: "hard" })).toMatchObject({
      antiAffinity: "hard",
    });
  });

  it.each([{ policy: "best" }, { anti_affinity: true }, { features: ["a b"] }, { polcy: "pack" }])(
    "%j is refused",
    (given) => {
      expect(placementSchema.safeParse(given).success).toBe(false);
    },
  );
});

describe("regions", () => {
  it("are tried in the order in which they are named; any means all others", () => {
    expect(regionsOf("ams", ["fra"])).toEqual(["ams"]);
    expect(regionsOf("fra,ams,fra", [])).toEqual(["fra", "ams"]);
    expect(regionsOf("fra,any", ["ams", "fra", "sea"])).toEqual(["fra", "ams", "sea"]);
    expect(regionsOf("any", ["ams", "fra"])).toEqual(["ams", "fra"]);
  });

  it.each(["", ",", "ams,", "a b", "ams, fra", "a.b", "*", Array(17).fill("a").join(",")])(
    "%j names none",
    (text) => {
      expect(regionsSchema.safeParse(text).success).toBe(false);
    },
  );
});
