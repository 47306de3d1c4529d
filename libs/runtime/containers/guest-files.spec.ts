import { describe, expect, it } from "@jest/globals";
import { isUsable } from "./guest-files.ts";

describe("a guest's resolv.conf", () => {
  it.each([
    ["nameserver 192.0.2.53", true],
    ["search example.org", true],
    ["options edns0", true],
    ["nameserver 127.0.0.53", false],
    ["nameserver 10.0.0.5", false],
    ["nameserver 2001:db8::53", false],
    ["# a comment", false],
    ["", false],
  ])("of the host's line %j keeps what guests can use", (line, expected) => {
    expect(isUsable(line, new Set(["10.0.0.5"]))).toBe(expected);
  });
});
