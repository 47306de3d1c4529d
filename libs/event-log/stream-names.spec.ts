import { describe, expect, it } from "@jest/globals";
import { hostStream, parseHostStream } from "./stream-names.ts";

describe("parseHostStream", () => {
  it.each(["host-a", "rack_1_a", "HOST_"])("finds host %s and its log again", (hostId) => {
    expect(parseHostStream(hostStream(hostId, "01JDLOG"))).toEqual({ hostId, logId: "01JDLOG" });
  });

  it.each(["CONTROL", "FLEET", "HOST_", "HOST_a", "HOST__a"])("takes %s for no host's", (name) => {
    expect(parseHostStream(name)).toBeUndefined();
  });
});
