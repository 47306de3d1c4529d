import { describe, expect, it } from "@jest/globals";
import { nameFor } from "./names.ts";
import { appNameSchema } from "./requests.ts";

describe("nameFor", () => {
  it("gives the same machine the same name at the same try, so that a repeat finds its own claim", () => {
    expect(nameFor("d0001", 1)).toBe(nameFor("d0001", 1));
    expect(nameFor("d0001", 2)).not.toBe(nameFor("d0001", 1));
  });

  it("makes names that are valid, and rarely the same", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => nameFor(`machine-${index}`, 1));
    for (const name of names) expect(appNameSchema.safeParse(name).success).toBe(true);
    expect(new Set(names).size).toBeGreaterThan(995);
  });
});
