import { describe, expect, it } from "@jest/globals";
import { type DeepLink, HOME, readLink, writeLink } from "./deep-link.ts";

describe("a deep link", () => {
  it.each<DeepLink>([
    HOME,
    { moment: "01K0:12@0192:0001", view: "diff", tab: "why", selection: "machine/148e", a: "1000", b: "now" },
    { moment: "live", view: "list", tab: "facts", search: "crashed & app:hello" },
    { moment: "1790000000000", view: "map", tab: "events", zoom: { fromMs: 5, toMs: 9 } },
  ])("is read as it was written: %j", (link) => {
    expect(readLink(writeLink(link))).toEqual(link);
  });

  it("leaves places and entities readable", () => {
    expect(writeLink({ ...HOME, moment: "01K0:12@0192", selection: "machine/148e" })).toBe(
      "#m=01K0:12@0192&sel=machine/148e",
    );
  });

  it.each(["", "#", "#view=nowhere&tab=9", "#zoom=9-5", "#zoom=a-b"])(
    "takes %j for the first page",
    (hash) => {
      expect(readLink(hash)).toEqual(HOME);
    },
  );
});
