import { describe, expect, it } from "@jest/globals";
import { absolute, addressOf, parseListen, readEnvironment, wholeNumber } from "./settings.ts";

describe("the environment", () => {
  it("is read by Drover's names first, then by those of existing clients", () => {
    expect(readEnvironment({ DROVER_API: "a", FLY_FLAPS_BASE_URL: "b" }).api).toBe("a");
    expect(readEnvironment({ FLY_FLAPS_BASE_URL: "b" }).api).toBe("b");
  });

  it("takes an empty variable for none", () => {
    const settings = readEnvironment({ DROVER_API: "", DROVER_TOKEN: "", PATH: "" });
    expect(settings).toMatchObject({ api: undefined, token: undefined });
    expect(settings.path).toContain("/usr/bin");
  });
});

describe("an address to listen on", () => {
  it.each([
    ["127.0.0.1:4222", "127.0.0.1", 4222],
    [":4222", "127.0.0.1", 4222],
    ["4222", "127.0.0.1", 4222],
    ["0.0.0.0:1", "0.0.0.0", 1],
    ["http://localhost:4280/v1", "localhost", 4280],
    ["[::1]:65535", "::1", 65_535],
  ])("is %s", (text, host, port) => {
    expect(parseListen(text, "--api")).toEqual({ host, port });
  });

  it.each([
    "",
    "host",
    "host:",
    "host:0",
    "host:65536",
    "host:x",
    "a:b:1",
    "http://user@host:80",
    "https://h",
  ])("is not %p", (text) => {
    expect(() => parseListen(text, "DROVER_API")).toThrow(`DROVER_API: "${text}" is not HOST:PORT`);
  });

  it("is written as URLs take it", () => {
    expect(addressOf({ host: "::1", port: 80 })).toBe("[::1]:80");
    expect(addressOf({ host: "10.0.0.1", port: 80 })).toBe("10.0.0.1:80");
  });
});

describe("a whole number", () => {
  it("is digits within its bounds", () => {
    expect(wholeNumber("64", "--hosts", 1, 64)).toBe(64);
  });

  it.each(["", " 3", "0", "65", "-1", "1e1", "0x3", "3.0", "three", "9".repeat(400)])("is not %p", (text) => {
    expect(() => wholeNumber(text, "--hosts", 1, 64)).toThrow(/--hosts: .* from 1 to 64$/);
  });
});

describe("a path of the command line", () => {
  it("starts where the user stands", () => {
    expect(absolute("x/../y", "--data")).toBe(`${process.cwd()}/y`);
    expect(absolute("/x//y/", "--data")).toBe("/x/y");
  });

  it("is not empty", () => {
    expect(() => absolute("", "--data")).toThrow("--data: the path is empty");
  });
});
