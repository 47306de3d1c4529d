import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { heard, RouterLab } from "./router-lab.fixture.ts";

const UPGRADE = "Host: app.localhost\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n";

/** A machine that changes to a protocol which sends every byte back; gives its end of each tunnel. */
async function echo(lab: RouterLab, first = ""): Promise<Socket[]> {
  const ends: Socket[] = [];
  const machine = await lab.machine("m1", (_, response) => response.writeHead(426).end("no"));
  machine.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    ends.push(socket);
    socket.on("error", () => undefined);
    socket.write(
      `HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\nX-For: ${request.headers["fly-client-ip"]}\r\n\r\n${first}`,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  return ends;
}

async function tunnel(lab: RouterLab, more = ""): Promise<Socket> {
  const socket = connect(lab.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`GET /chat HTTP/1.1\r\n${UPGRADE}${more}`);
  return socket;
}

describe("tunnels", () => {
  let lab: RouterLab;
  afterEach(() => lab.stop());

  it("pass bytes both ways after the protocol has changed, and what was sent beside the heads first", async () => {
    lab = await RouterLab.start();
    await echo(lab, "welcome ");
    const socket = await tunnel(lab, "early ");
    const text = heard(socket, /early late$/);
    await once(socket, "data");
    socket.write("late");
    expect(await text).toMatch(
      /^HTTP\/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\/1\r\nX-For: 127.0.0.1\r\nVia: 1.1 drover\r\nFly-Request-Id: \w{26}\r\n\r\nwelcome early late$/,
    );
  });

  it("count as requests under way for as long as they are open, and end at both ends", async () => {
    lab = await RouterLab.start();
    const ends = await echo(lab);
    for (const closing of ["client", "machine"]) {
      const socket = await tunnel(lab);
      await once(socket, "data");
      expect(lab.routes.uses.inFlight("m1")).toBe(1);
      const end = ends.at(-1)!;
      const both = Promise.all([once(socket.resume(), "close"), once(end, "close")]);
      (closing === "client" ? socket : end).end();
      await both;
      await ended(lab);
      expect(lab.routes.uses.inFlight("m1")).toBe(0);
    }
    expect(lab.metric('drover_router_requests_total{class="1xx"}')).toBe(2);
  });

  it("F52: a client learns that its machine died in the middle of a tunnel", async () => {
    lab = await RouterLab.start();
    const ends = await echo(lab);
    const socket = await tunnel(lab);
    await once(socket, "data");
    ends[0]!.resetAndDestroy();
    await once(socket.resume(), "close");
    await ended(lab);
  });

  it("take no more from one side than the other takes, and end where that is nothing for long", async () => {
    lab = await RouterLab.start({ stallMs: 1_000 });
    const ends = await echo(lab);
    const socket = await tunnel(lab);
    await once(socket, "data");
    ends[0]!.unpipe().pause();
    const chunk = Buffer.alloc(65_536);
    let wrote = 0;
    while (wrote < 100_000_000 && (socket.write(chunk) || (await drained(socket)))) wrote += chunk.length;
    expect(wrote).toBeLessThan(30_000_000);
    socket.destroy();
    await ended(lab);
  });

  it("are not opened where the machine gives an ordinary answer, however large", async () => {
    lab = await RouterLab.start();
    const machine = await lab.machine("m1", () => undefined);
    machine.server.on("upgrade", (_, socket: Socket) => {
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`);
    });
    const text = await heard(await tunnel(lab), /$^/);
    expect(text).toMatch(/^HTTP\/1.1 403 Forbidden\r\n.*connection: close\r\n/is);
    expect(text.split("\r\n\r\n")[1]).toHaveLength(1_000_000);
  });

  it("are waited for like any answer, and forgotten when the client leaves", async () => {
    lab = await RouterLab.start();
    lab.host.answers = () => new Promise(() => undefined);
    await lab.machine("m1", () => undefined, { route: { state: "stopped" } });
    const socket = await tunnel(lab);
    while (lab.metric("drover_router_requests_held") !== 1) await pause();
    socket.end();
    await ended(lab);
    expect(lab.metric("drover_router_requests_held")).toBe(0);
  });

  it("are cut when the router has been stopped for long enough", async () => {
    lab = await RouterLab.start({ drainMs: 50 });
    await echo(lab);
    const socket = await tunnel(lab);
    await once(socket, "data");
    const closed = once(socket.resume(), "close");
    await lab.proxy.stop();
    await closed;
  });
});

async function ended(lab: RouterLab): Promise<void> {
  while (lab.metric("drover_router_requests_in_flight") !== 0) await pause();
}

/** Whether the socket takes more within a while. */
function drained(socket: Socket): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(false), 500);
    socket.once("drain", () => {
      clearTimeout(timer);
      done(true);
    });
  });
}

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 5));
}
