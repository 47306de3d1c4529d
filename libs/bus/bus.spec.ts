import "reflect-metadata";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Controller, type INestMicroservice, Module, type Type } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { MessagePattern } from "@nestjs/microservices";
import { z } from "zod";
import { type CallMeta, call } from "#contracts";
import { RefusedError, refusal, SystemClock, SystemIds } from "#kernel";
import { type NatsServer, startNatsServer } from "#testing";
import { Answers, type CallContext } from "./answers.ts";
import { BusClient } from "./bus-client.ts";
import { BusServer, type BusServerSettings } from "./bus-server.ts";

const ids = new SystemIds(new SystemClock());
const behaviour = z.enum(["echo", "refuse", "break", "lie", "wait", "huge", "await-abort"]);
const greet = call(
  "greet",
  z.object({ name: z.string(), behaviour: behaviour.default("echo") }),
  z.object({ text: z.string(), deadlineMs: z.number(), subject: z.string() }),
);
type Greeting = z.infer<typeof greet.answer>;

/** What the handlers were asked, and the doors that let waiting ones go on. */
const seen: string[] = [];
const doors: (() => void)[] = [];

@Controller()
class GreetController {
  @Answers(greet)
  async greet(body: z.infer<typeof greet.request>, context: CallContext): Promise<Greeting> {
    seen.push(body.name);
    const { deadlineMs, subject } = context;
    const answer = { text: `hello ${body.name}`, deadlineMs, subject };
    switch (body.behaviour) {
      case "echo":
        return answer;
      case "refuse":
        throw new RefusedError(refusal("port_taken", "8080 is taken", { details: { port: 8080 } }));
      case "break":
        throw new Error("a secret place in the code");
      case "lie":
        return { text: 7 } as unknown as Greeting;
      case "huge":
        return { ...answer, text: "x".repeat(2_000_000) };
      case "wait":
        await new Promise<void>((open) => doors.push(open));
        return answer;
      case "await-abort":
        await new Promise((aborted) => context.signal.addEventListener("abort", aborted));
        seen.push(`${body.name} aborted`);
        return answer;
    }
  }
}

@Module({ controllers: [GreetController] })
class GreetModule {}

@Controller()
class UnmarkedController {
  @MessagePattern("greet")
  greet(): void {}
}

@Module({ controllers: [UnmarkedController] })
class UnmarkedModule {}

let server: NatsServer;
let nc: NatsConnection;
let app: INestMicroservice | undefined;
let client: BusClient;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  nc = await connect({ servers: server.url, reconnectTimeWait: 50 });
  client = new BusClient(nc, ids);
});
afterEach(async () => {
  for (const open of doors.splice(0)) open();
  await app?.close();
  app = undefined;
  seen.splice(0);
  await nc.close();
});

async function serve(
  settings: Partial<BusServerSettings> = {},
  module: Type<unknown> = GreetModule,
): Promise<void> {
  const strategy = new BusServer({ nc, ids, subjectOf: (verb) => `cmd.test.${verb}`, ...settings });
  app = await NestFactory.createMicroservice(module, { strategy, logger: false });
  await app.listen();
}

function meta(deadlineMs = 5_000): CallMeta {
  return { commandId: "c1", correlationId: "r1", causationId: "c1", actor: "test", deadlineMs };
}

const ask = (name: string, how: z.infer<typeof behaviour> = "echo", deadlineMs?: number) =>
  client.call(greet, "cmd.test.greet", { name, behaviour: how }, meta(deadlineMs));

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done, 5));
}

describe("a call", () => {
  it("is answered by the controller, which knows how much time is left and where it was asked", async () => {
    await serve();
    const result = await ask("ada");
    expect(result).toMatchObject({
      kind: "answer",
      answer: { text: "hello ada", subject: "cmd.test.greet" },
    });
    if (result.kind === "answer") expect(result.answer.deadlineMs).toBeLessThanOrEqual(5_000);
  });

  it("carries a refusal as it was made", async () => {
    await serve();
    expect(await ask("ada", "refuse")).toEqual({
      kind: "refused",
      refusal: { code: "port_taken", message: "8080 is taken", details: { port: 8080 } },
    });
  });

  it.each(["break", "lie", "huge"] as const)(
    "turns a bug (%s) into effect_failed and tells no secret",
    async (how) => {
      await serve();
      const result = await ask("ada", how);
      expect(result).toMatchObject({ kind: "refused", refusal: { code: "effect_failed" } });
      expect(JSON.stringify(result)).not.toContain("secret");
      expect(JSON.stringify(result)).toContain("r1");
    },
  );

  it("is refused as unreachable when nobody listens", async () => {
    expect(await ask("ada")).toMatchObject({ kind: "refused", refusal: { code: "unreachable" } });
  });

  it("I9: ends at its deadline; the handler is told, and its answer is not sent any more", async () => {
    await serve();
    const answers = nc.subscribe("_INBOX.>");
    expect(await ask("ada", "await-abort", 50)).toMatchObject({ refusal: { code: "deadline_exceeded" } });
    await until(() => seen.includes("ada aborted"));
    expect(await ask("bob")).toMatchObject({ kind: "answer" });
    await answers.drain();
    expect(answers.getReceived()).toBe(1);
  });

  it("is not sent when its body does not match the schema", async () => {
    await serve();
    const result = await client.call(greet, "cmd.test.greet", { name: 7 } as never, meta());
    expect(result).toMatchObject({ refusal: { code: "invalid", message: expect.stringContaining("name") } });
    expect(seen).toEqual([]);
  });

  it("is refused as invalid when it is larger than the server takes", async () => {
    await serve();
    expect(await ask("x".repeat(2_000_000))).toMatchObject({ refusal: { code: "invalid" } });
  });

  it.each([
    ["no JSON", "{"],
    ["no envelope", "[]"],
    ["no meta", '{"body":{"name":"x"}}'],
    ["a wrong body", JSON.stringify({ meta: meta(), body: {} })],
  ])("with %s gets a refusal by its name", async (_what, payload) => {
    await serve();
    const reply = await nc.request("cmd.test.greet", payload, { timeout: 5_000 });
    expect(reply.json()).toMatchObject({ kind: "refused", refusal: { code: "invalid" } });
    expect(seen).toEqual([]);
  });

  it("takes an answer that matches no schema for an unknown outcome", async () => {
    nc.subscribe("cmd.test.greet", {
      callback: (_error, message) => {
        message.respond('{"kind":"answer","answer":{}}');
      },
    });
    expect(await ask("ada")).toMatchObject({ refusal: { code: "effect_failed" } });
  });

  it("takes the first of two answers", async () => {
    await serve();
    await serve();
    expect(await ask("ada")).toMatchObject({ kind: "answer" });
    expect(await ask("bob")).toMatchObject({ answer: { text: "hello bob" } });
  });

  it("is not kept for later while the connection is down: a stale start must not run", async () => {
    await serve();
    const down = (async () => {
      for await (const { type } of nc.status()) if (type === "disconnect") return;
    })();
    await server.kill();
    await down;
    expect(await ask("stale", "echo", 50)).toMatchObject({ refusal: { code: "unreachable" } });
    const fresh = ask("fresh", "echo", 20_000);
    await server.restart();
    expect(await fresh).toMatchObject({ kind: "answer" });
    expect(seen).toEqual(["fresh"]);
  });
});

describe("many calls", () => {
  it("run a bounded number at once; those whose time passed meanwhile never run; the rest is refused", async () => {
    await serve({ maxConcurrent: 1, maxWaiting: 1 });
    const first = ask("first", "wait");
    await until(() => doors.length === 1);
    const second = ask("second", "echo", 50);
    expect(await second).toMatchObject({ refusal: { code: "deadline_exceeded" } });
    // The caller's time may be over a little before that of its request is, as the server counts.
    await pause(100);
    expect(await ask("third")).toMatchObject({ refusal: { code: "busy", retryAfterMs: 100 } });
    for (const open of doors.splice(0)) open();
    expect(await first).toMatchObject({ kind: "answer" });
    await until(() => seen.length > 0);
    expect(await ask("fourth")).toMatchObject({ kind: "answer" });
    expect(seen).toEqual(["first", "fourth"]);
  });

  it("are shared by processes with the same queue", async () => {
    const other = await connect({ servers: server.url });
    await serve({ queue: "test" });
    const first = app;
    await serve({ queue: "test", nc: other });
    for (let index = 0; index < 10; index += 1) await ask(`${index}`);
    expect(seen).toHaveLength(10);
    await first?.close();
    await app?.close();
    app = undefined;
    await other.close();
  });
});

describe("a scatter", () => {
  const scatter = (isEnough: (answers: readonly Greeting[]) => boolean, deadlineMs = 5_000) =>
    client.scatter(greet, "cmd.test.greet", { name: "all", behaviour: "echo" }, meta(deadlineMs), isEnough);

  it("ends when it has enough answers", async () => {
    await serve();
    const first = app;
    await serve();
    expect(await scatter((answers) => answers.length === 2)).toHaveLength(2);
    await first?.close();
  });

  it("ends at the deadline with what it has, counting one answerer's repeats once", async () => {
    await serve();
    nc.subscribe("cmd.test.greet", {
      callback: (_error, message) => {
        const answer = { text: "again", deadlineMs: 1, subject: "s" };
        for (const _ of [1, 2, 3]) message.respond(JSON.stringify({ kind: "answer", answer, from: "x" }));
        message.respond("nonsense");
        message.respond(JSON.stringify({ kind: "refused", refusal: refusal("busy", "no"), from: "y" }));
      },
    });
    const answers = await scatter(() => false, 200);
    expect(answers.map(({ text }) => text).sort()).toEqual(["again", "hello all"]);
  });

  it("is empty when nobody listens", async () => {
    expect(await scatter(() => false)).toEqual([]);
  });
});

describe("BusServer", () => {
  it("lets running handlers answer before it closes, and takes nothing new", async () => {
    await serve();
    const running = ask("ada", "wait");
    await until(() => doors.length === 1);
    const closing = app?.close();
    await until(() => doors.length === 1);
    for (const open of doors.splice(0)) open();
    expect(await running).toMatchObject({ kind: "answer" });
    await closing;
    app = undefined;
    expect(await ask("bob")).toMatchObject({ refusal: { code: "unreachable" } });
  });

  it("does not wait for ever: handlers that hang are told to give up", async () => {
    await serve({ drainMs: 20 });
    void ask("ada", "await-abort");
    await until(() => seen.includes("ada"));
    await app?.close();
    app = undefined;
    await until(() => seen.includes("ada aborted"));
  });

  it("does not start with a handler that names no call", async () => {
    await expect(serve({}, UnmarkedModule)).rejects.toThrow("not marked @Answers");
    app = undefined;
  });
});
