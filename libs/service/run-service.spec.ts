import { EventEmitter } from "node:events";
import { describe, expect, it } from "@jest/globals";
import { RefusedError, refusal } from "#kernel";
import { makeLogger } from "./logger.ts";
import { runService, type StartedService } from "./run-service.ts";

/** A process that can be signalled, and remembers how it ended. */
class Host extends EventEmitter {
  readonly exits: number[] = [];
  readonly said: string[] = [];
  readonly logged: string[] = [];
  readonly logger = makeLogger("test", { write: (line) => void this.logged.push(line) });
  readonly stderr = { write: (text: string) => void this.said.push(text) };
  readonly ended: Promise<void>;
  exit: (code: number) => void = () => {};

  constructor() {
    super();
    this.ended = new Promise((done) => {
      this.exit = (code) => {
        this.exits.push(code);
        done();
      };
    });
  }

  run(start: () => Promise<StartedService>): Promise<void> {
    return runService(this.logger, start, this);
  }
}

const idle: StartedService = { stop: async () => {} };

describe("runService", () => {
  it.each(["SIGTERM", "SIGINT"])("ends cleanly on %s", async (signal) => {
    const host = new Host();
    let stopped = 0;
    await host.run(async () => ({
      stop: async () => {
        stopped += 1;
      },
    }));
    expect(host.exits).toEqual([]);
    host.emit(signal, signal);
    await host.ended;
    expect([host.exits, stopped]).toEqual([[0], 1]);
  });

  it("says a refusal in one line", async () => {
    const host = new Host();
    await host.run(async () => {
      throw new RefusedError(refusal("invalid", "settings.json: listen.port: too small"));
    });
    expect(host.said).toEqual(["drover: settings.json: listen.port: too small\n"]);
    expect(host.exits).toEqual([1]);
  });

  it("logs whatever else goes wrong at start", async () => {
    const host = new Host();
    await host.run(async () => {
      throw new Error("broken world");
    });
    expect(host.logged.join()).toContain("broken world");
    expect(host.exits).toEqual([1]);
  });

  it.each(["uncaughtException", "unhandledRejection"])("dies of an %s, and says of which", async (event) => {
    const host = new Host();
    await host.run(async () => idle);
    host.emit(event, new Error("a bug"));
    expect(host.logged.join()).toContain("a bug");
    expect(host.exits).toEqual([1]);
  });

  it("ends at once when told to while it still waits for its world", async () => {
    const host = new Host();
    void host.run(() => new Promise(() => {}));
    host.emit("SIGTERM", "SIGTERM");
    expect(host.exits).toEqual([0]);
  });

  it("ends at once when told twice, or when the stop fails", async () => {
    const twice = new Host();
    await twice.run(async () => ({ stop: () => new Promise(() => {}) }));
    twice.emit("SIGTERM", "SIGTERM");
    twice.emit("SIGINT", "SIGINT");
    expect(twice.exits).toEqual([1]);
    const failing = new Host();
    await failing.run(async () => ({ stop: () => Promise.reject(new Error("disk")) }));
    failing.emit("SIGTERM", "SIGTERM");
    await failing.ended;
    expect(failing.exits).toEqual([1]);
  });
});
