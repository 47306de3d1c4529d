import { describe, expect, it } from "@jest/globals";
import { hostnameSchema, hostnameToken } from "./hostname.ts";

const label = "a".repeat(63);

describe("hostnameSchema", () => {
  it.each([
    ["WWW.Example.COM", "www.example.com"],
    ["example.com.", "example.com"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["3com.io", "3com.io"],
    [`${label}.${label}.${label}.${"a".repeat(61)}`, `${label}.${label}.${label}.${"a".repeat(61)}`],
  ])("takes %s", (given, canonical) => {
    expect(hostnameSchema.parse(given)).toBe(canonical);
  });

  it.each([
    ["", "localhost", "com."],
    ["10.0.0.1", "0x7f.1.0x0", "[::1]", "::1", "example.1"],
    ["-a.example", "a-.example", "a..example", ".example.com", "example.com..", `${label}a.example`],
    [
      "*.example.com",
      "a_b.example",
      "bücher.example",
      "a b.example",
      "a.example:80",
      "a.example/x",
      "a\0.example",
    ],
    [`${label}.${label}.${label}.${"a".repeat(62)}`],
  ])("refuses %j %j %j %j %j %j %j", (...hostile) => {
    for (const given of hostile.filter((each) => each !== undefined))
      expect([given, hostnameSchema.safeParse(given).success]).toEqual([given, false]);
  });

  it("maps to a token of a subject, and no two to the same", () => {
    expect(hostnameToken("a-b.example.com")).toBe("a-b_example_com");
    expect(hostnameToken("a.b-example.com")).toBe("a_b-example_com");
  });
});
