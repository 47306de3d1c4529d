import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "@jest/globals";
import { RouterLab } from "./router-lab.fixture.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const MIB = 1_048_576;
const CHUNK = Buffer.alloc(65_536, "x");
const HOST = { host: "app.localhost" };

/** As many bytes as that, made as they are read. */
function bytes(count: number): Readable {
  return Readable.from(
    (function* () {
      for (let left = count; left > 0; left -= CHUNK.length)
        yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
    })(),
  );
}

describe("streaming", () => {
  let lab: RouterLab;
  afterEach(() => lab.stop());

  it("carries 100 MiB both ways at once without keeping them", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (incoming, response) => void pipeline(incoming, response));
    const outgoing = request({ port: lab.port, method: "POST", headers: HOST, agent: false });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    const sent = pipeline(bytes(100 * MIB), outgoing);
    const [answer] = await answered;
    const kept: number[] = [];
    let count = 0;
    for await (const chunk of answer) {
      count += chunk.length;
      if (count / (10 * MIB) > kept.length + 1) {
        collectGarbage();
        kept.push(process.memoryUsage().arrayBuffers / MIB);
      }
    }
    await sent;
    expect(count).toBe(100 * MIB);
    // What was let go is given back a little later: whatever is kept for good is in the least of these, too.
    expect(Math.min(...kept.slice(4))).toBeLessThan(30);
  });

  it("reads no more of an answer than its client takes, and no more of a body than its machine takes", async () => {
    lab = await RouterLab.start();
    const machine = Promise.withResolvers<[IncomingMessage, ServerResponse]>();
    await lab.machine("m1", (incoming, response) => machine.resolve([incoming, response]));
    const outgoing = request({ port: lab.port, method: "POST", headers: HOST, agent: false });
    const body = bytes(100 * MIB);
    const isSent = pipeline(body, outgoing).catch(() => "cut");
    const [, response] = await machine.promise;
    const answer = bytes(100 * MIB);
    void pipeline(answer, response).catch(() => undefined);
    const [received] = (await once(outgoing, "response")) as [IncomingMessage];
    // Whatever the sockets between the four of them take, they have taken when nothing moves any more.
    await stillness(() => outgoing.socket!.bytesWritten + response.socket!.bytesWritten);
    expect(outgoing.socket!.bytesWritten / MIB).toBeLessThan(20);
    expect(response.socket!.bytesWritten / MIB).toBeLessThan(20);
    received.destroy();
    expect(await isSent).toBe("cut");
  });

  it("aborts at the machine what its client aborts: before the answer, in its middle, and in the middle of a body", async () => {
    lab = await RouterLab.start();
    const aborted: string[] = [];
    const gone = new Set<() => void>();
    const machine = await lab.machine("m1", (incoming, response) => {
      if (incoming.url === "/answer") response.write("some");
      response.on("close", () => {
        aborted.push(incoming.url!);
        for (const tell of gone) tell();
      });
    });
    for (const [path, head, wait] of [
      ["/before", "GET /before", "request"],
      ["/answer", "GET /answer", "answer"],
      ["/body", "POST /body", "request"],
    ] as const) {
      const left = new Promise<void>((done) => gone.add(done));
      const asked = once(machine.server, "request");
      const socket = connect(lab.port, "127.0.0.1");
      const length = path === "/body" ? "Content-Length: 100\r\n\r\nsome" : "\r\n";
      socket.write(`${head} HTTP/1.1\r\nHost: app.localhost\r\n${length}`);
      await (wait === "answer" ? once(socket, "data") : asked);
      socket.destroy();
      await left;
    }
    expect(aborted).toEqual(["/before", "/answer", "/body"]);
    expect(lab.routes.uses.inFlight("m1")).toBe(0);
  });

  it("lets go of a client that does not send its body, or does not take its answer", async () => {
    lab = await RouterLab.start({ stallMs: 200 });
    await lab.machine("m1", (incoming, response) => {
      if (incoming.url === "/endless") void pipeline(bytes(100 * MIB), response).catch(() => undefined);
      else incoming.resume();
    });
    const sender = connect(lab.port, "127.0.0.1");
    sender.write("POST /x HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 100\r\n\r\nsome");
    await once(sender.resume(), "close");
    const reader = connect(lab.port, "127.0.0.1");
    reader.on("error", () => undefined);
    reader.write("GET /endless HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
    while (lab.metric("drover_router_requests_in_flight") !== 0) await pause();
    reader.destroy();
  });

  it("does not blame a client for a machine that is slow to take its body or to answer", async () => {
    lab = await RouterLab.start({ stallMs: 600 });
    await lab.machine("m1", (incoming, response) => {
      setTimeout(() => {
        incoming.resume().on("end", () => setTimeout(() => response.end("late"), 400));
      }, 400);
    });
    const answer = await lab.fetch("/", { method: "POST", body: Buffer.alloc(8 * MIB) });
    expect(answer).toMatchObject({ status: 200, body: "late" });
  });
});

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 20));
}

/** Resolves when the number has stayed the same for a while. */
async function stillness(read: () => number): Promise<void> {
  for (let [last, same] = [read(), 0]; same < 15; ) {
    await pause();
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}
