import { describe, expect, it } from "@jest/globals";
import { mintCredential } from "#topology";
import { makeLogger } from "./logger.ts";
import { NestLogger } from "./nest-logger.ts";

const SEED = mintCredential("api").seed;

function capture() {
  const lines: string[] = [];
  const logger = makeLogger("test", { write: (line) => void lines.push(line) });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? "") as Record<string, unknown> };
}

describe("makeLogger", () => {
  it("writes one JSON line that names the service", () => {
    const { logger, lines, last } = capture();
    logger.info({ machineId: "m1" }, "started");
    expect(lines).toHaveLength(1);
    expect(last()).toMatchObject({ service: "test", msg: "started", machineId: "m1" });
  });

  it("keeps secrets out, by their name and by their look", () => {
    const { logger, lines } = capture();
    logger.info({ user: { seed: "x1" }, config: { env: { PASSWORD: "x2" } }, request: { token: "x3" } }, "a");
    logger.error({ err: new Error(`cannot use ${SEED}`) }, `with ${SEED}`);
    logger.info("Authorization: Bearer fly_x4.x5");
    expect(lines.join()).not.toMatch(new RegExp(`x\\d|${SEED}`));
  });
});

describe("NestLogger", () => {
  it("keeps what was thrown, with its stack", () => {
    const { logger, last } = capture();
    new NestLogger(logger).error(new Error("broken"), "SomeContext");
    expect(last()).toMatchObject({ level: 50, context: "SomeContext", err: { message: "broken" } });
    new NestLogger(logger).error("broken", "Error: broken\n    at x", "SomeContext");
    expect(last()).toMatchObject({ msg: "broken", stack: "Error: broken\n    at x", context: "SomeContext" });
  });

  it("keeps the fields of a structured entry", () => {
    const { logger, last } = capture();
    new NestLogger(logger).error(
      { msg: "offer failed", verb: "offer", err: new Error("why") },
      undefined,
      "BusServer",
    );
    expect(last()).toMatchObject({
      msg: "offer failed",
      verb: "offer",
      err: { message: "why" },
      context: "BusServer",
    });
  });

  it("takes Nest's start-up chatter for debug", () => {
    const { logger, lines } = capture();
    new NestLogger(logger).log("Mapped something", "RouterExplorer");
    expect(lines).toEqual([]);
  });
});
