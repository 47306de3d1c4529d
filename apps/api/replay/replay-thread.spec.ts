import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { Answer, Question } from "./question.ts";
import { ReplayThread } from "./replay-thread.ts";

/** Threads that behave: each answers as a program of one line says. */
function program(onAsk: string): string {
  return `
    const { parentPort, threadId } = require("node:worker_threads");
    const answer = (id, text, isLast = true) =>
      parentPort.postMessage({ kind: "answer", id, answer: { body: new TextEncoder().encode(text), isGzipped: false, isLast } });
    const refuse = (id, code) => parentPort.postMessage({ kind: "refused", id, refusal: { code, message: "no" } });
    const log = [];
    parentPort.postMessage({ kind: "ready" });
    parentPort.on("message", (message) => {
      if (message.kind === "ping") parentPort.postMessage({ kind: "pong" });
      if (message.kind === "stop") parentPort.close();
      log.push(message.kind);
      const { id, question } = message;
      if (message.kind === "ask" || message.kind === "more") { ${onAsk} }
    });`;
}

const ANSWERS = program(`answer(id, "of " + threadId);`);
const threads: ReplayThread[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.stop()));
});

/** A thread whose workers run these programs, one after the other; the last one again and again. */
function threadOf(programs: readonly string[], pulseMs?: number) {
  const notices: string[] = [];
  let started = 0;
  const start = () => {
    const text = programs[Math.min(started, programs.length - 1)]!;
    started += 1;
    return new Worker(text, { eval: true });
  };
  const notice = (line: string) => void notices.push(line);
  const thread = new ReplayThread({ start, notice, ...(pulseMs === undefined ? {} : { pulseMs }) });
  threads.push(thread);
  return { thread, notices, started: () => started };
}

const QUESTION: Question = { ask: "extent" };
const READY: Question = { ask: "at", m: "now" };
const wait = (more: { deadlineMs?: number; signal?: AbortSignal } = {}) => ({
  ...{ mayGzip: false, deadlineMs: 20_000, signal: new AbortController().signal },
  ...more,
});
const textOf = ({ body }: Answer) => new TextDecoder().decode(body);
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (error) => error.refusal?.code ?? error,
  );

describe("the thread that answers about history", () => {
  it("starts with the first question, and is asked the next ones", async () => {
    const { thread, started } = threadOf([ANSWERS]);
    expect(started()).toBe(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => thread.ask(QUESTION, wait())));
    expect(new Set(answers.map(textOf)).size).toBe(1);
    expect(started()).toBe(1);
  });

  it("is replaced when it dies: what it worked on is refused, what waits and what comes is answered", async () => {
    const dies = program(`if (id === 2) process.exit(1);`);
    const { thread, notices } = threadOf([dies, ANSWERS]);
    const first = Array.from({ length: 6 }, () => refusalOf(thread.ask(QUESTION, wait())));
    expect(await Promise.all(first)).toEqual([
      ...Array.from({ length: 4 }, () => "unreachable"),
      ...["answered", "answered"],
    ]);
    expect(textOf(await thread.ask(QUESTION, wait()))).toMatch(/^of/);
    expect(notices.join()).toMatch(/the thread is gone .*the next one starts in 500 ms/);
  });

  it("is replaced when it cannot start, or has used up its memory, after pauses that grow", async () => {
    const { thread, notices } = threadOf([
      `throw new Error("no heap");`,
      `throw new Error("no luck");`,
      ANSWERS,
    ]);
    expect(textOf(await thread.ask(QUESTION, wait()))).toMatch(/^of/);
    expect(notices).toEqual([
      "the thread is gone (no heap): the next one starts in 500 ms",
      "the thread is gone (no luck): the next one starts in 1000 ms",
    ]);
  });

  it("is refused at once when too many wait already, and says when to come again", async () => {
    const { thread } = threadOf([program(`if (question.ask === "at") answer(id, "ready");`)]);
    await thread.ask(READY, wait());
    const all = Array.from({ length: 40 }, () =>
      thread.ask(QUESTION, wait({ deadlineMs: 1_500 })).catch((error) => error.refusal),
    );
    const reasons = await Promise.all(all);
    expect(reasons.filter(({ code }) => code === "deadline_exceeded")).toHaveLength(36);
    const refused = reasons.filter(({ code }) => code === "unreachable");
    expect(refused).toHaveLength(4);
    expect(refused[0].retryAfterMs).toBe(2_000);
  });

  it("is told to let go of what nobody waits for any more, which makes room for others", async () => {
    const counts = program(
      `if (question.ask === "at") answer(id, log.filter((kind) => kind === "cancel").length + "");`,
    );
    const { thread } = threadOf([counts]);
    await thread.ask(READY, wait());
    const gone = new AbortController();
    const lost = Array.from({ length: 4 }, () =>
      refusalOf(thread.ask(QUESTION, wait({ signal: gone.signal }))),
    );
    const next = thread.ask(READY, wait());
    gone.abort();
    expect(await Promise.all(lost)).toEqual(Array.from({ length: 4 }, () => "cancelled"));
    expect(Number(textOf(await next))).toBeGreaterThan(0);
  });

  it("gives an answer part by part, each when it is wanted, or its refusal", async () => {
    const parts = program(`
      const count = log.filter((kind) => kind !== "ping").length;
      if (question?.ask === "at") refuse(id, "not_found");
      else answer(id, "part " + count, count === 3);`);
    const { thread } = threadOf([parts]);
    const heard: string[] = [];
    for await (const part of thread.parts(QUESTION, wait())) heard.push(new TextDecoder().decode(part));
    expect(heard).toEqual(["part 1", "part 2", "part 3"]);
    expect(await refusalOf(thread.parts(READY, wait()).next())).toBe("not_found");
  });
});

describe("F02 a thread of the API is stuck", () => {
  it("is noticed by its silence, named with what it worked on, and replaced; questions go on", async () => {
    const stuck = program(`if (id === 1) for (;;);`);
    const { thread, notices } = threadOf([stuck, ANSWERS], 50);
    expect(await refusalOf(thread.ask(QUESTION, wait()))).toBe("unreachable");
    expect(textOf(await thread.ask(QUESTION, wait()))).toMatch(/^of/);
    expect(notices[0]).toBe('the thread does not answer, and is replaced; it worked on {"ask":"extent"}');
  });
});
