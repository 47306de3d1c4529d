import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { parse } from "./parse.ts";

const schema = z.object({ config: z.object({ ports: z.array(z.number()) }) });

describe("parse", () => {
  it("returns what the schema makes of the input", () => {
    expect(parse(z.coerce.number(), "7", "limit")).toBe(7);
  });

  it.each([
    [{ config: { ports: [1, "two"] } }, /^config\.ports\.1: /],
    [{}, /^config: /],
    [undefined, /^body: /],
    ["text", /^body: /],
  ])("names the first wrong field of %j", (input, message) => {
    const refused = () => parse(schema, input, "body");
    expect(refused).toThrow(message);
    expect(refused).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ code: "invalid" }) }),
    );
  });
});
