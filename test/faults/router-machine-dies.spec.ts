import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  type Answer,
  heard,
  type LabMachine,
  RouterLab,
} from "../../apps/router/proxy/router-lab.fixture.ts";

const HOST = "Host: app.localhost\r\n";
const codeOf = ({ status, body }: Answer) => [status, JSON.parse(body).status];

/** A machine of the app that sleeps: another one for what the first could not answer. */
async function spare(lab: RouterLab, seen: string[]): Promise<LabMachine> {
  lab.host.answers = async ({ machineId }) => {
    lab.routes.change(machineId, { state: "started" });
    return { kind: "answer", answer: {} };
  };
  const serve = (incoming: IncomingMessage, response: ServerResponse) => {
    let text = "";
    incoming.on("data", (chunk) => {
      text += chunk;
    });
    incoming.on("end", () => {
      seen.push(`${incoming.method} ${text}`);
      response.end("spare");
    });
  };
  return lab.machine("spare", serve, { route: { state: "stopped" } });
}

describe("F52: a machine dies", () => {
  let lab: RouterLab;
  afterEach(() => lab.stop());

  it("before its answer: what may be repeated goes to another, with the body that came; the rest is told", async () => {
    lab = await RouterLab.start();
    const seen: string[] = [];
    await lab.machine("m1", (incoming) => void incoming.resume().on("end", () => incoming.socket.destroy()));
    await spare(lab, seen);
    expect(await lab.fetch("/")).toMatchObject({ status: 200, body: "spare" });
    expect(await lab.fetch("/", { method: "PUT", body: "whole" })).toMatchObject({ status: 200 });
    expect(await lab.fetch("/", { method: "DELETE" })).toMatchObject({ status: 200 });
    lab.routes.change("spare", { state: "stopped" });
    for (const method of ["POST", "PATCH"]) {
      const answer = await lab.fetch("/", { method, body: "once" });
      expect(codeOf(answer)).toEqual([503, "machine_died"]);
      expect(answer.headers["retry-after"]).toBeDefined();
    }
    expect(seen).toEqual(["GET ", "PUT whole", "DELETE "]);
    expect(lab.traces.at(0)!.stages).toContainEqual(
      expect.objectContaining({ stage: "retried", machineId: "m1", reason: "machine_died" }),
    );
  });

  it("of every request of a kind: it is not sent to one machine after the other", async () => {
    lab = await RouterLab.start();
    let deaths = 0;
    for (const id of ["m1", "m2", "m3", "m4", "m5"]) {
      await lab.machine(id, (incoming) => {
        deaths += 1;
        incoming.socket.destroy();
      });
    }
    expect(codeOf(await lab.fetch("/poison"))).toEqual([503, "machine_died"]);
    expect(deaths).toBe(3);
  });

  it("in the middle of an upload: one that is kept whole goes on to another, one that is not is told", async () => {
    lab = await RouterLab.start({ keptBodyBytes: 1_000 });
    const seen: string[] = [];
    const machine = await lab.machine(
      "m1",
      (incoming) => void incoming.once("data", () => incoming.socket.destroy()),
    );
    await spare(lab, seen);
    const upload = async (method: string, first: string): Promise<string> => {
      const socket = connect(lab.port, "127.0.0.1");
      const asked = once(machine.server, "request");
      socket.write(`${method} / HTTP/1.1\r\n${HOST}Content-Length: ${first.length + 4}\r\n\r\n${first}`);
      const [incoming] = (await asked) as [IncomingMessage];
      await once(incoming.socket, "close");
      socket.write("rest");
      return heard(socket, /}\n|spare/);
    };
    expect(await upload("PUT", "some")).toMatch(/^HTTP\/1.1 200 .*spare$/s);
    lab.routes.change("spare", { state: "stopped" });
    expect(await upload("PUT", "x".repeat(2_000))).toMatch(/^HTTP\/1.1 503 .*machine_died/s);
    expect(await upload("POST", "some")).toMatch(/^HTTP\/1.1 503 .*machine_died/s);
    expect(seen).toEqual(["PUT somerest"]);
  });

  it("in the middle of its answer: the client learns it, whatever ends that answer, and nothing is repeated", async () => {
    lab = await RouterLab.start();
    const asked: string[] = [];
    await lab.machine("m1", (incoming, response) => {
      asked.push(incoming.url!);
      if (incoming.url === "/sized") response.setHeader("content-length", 100);
      response.write("some");
      setTimeout(() => incoming.socket.destroy(), 20);
    });
    await spare(lab, asked);
    for (const path of ["/sized", "/chunked"]) {
      const outgoing = request({
        port: lab.port,
        path,
        headers: { host: "app.localhost" },
        agent: false,
      }).end();
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      await expect(answer.toArray()).rejects.toThrow("aborted");
    }
    // HTTP/1.0 knows no end but that of the connection: it has to end badly.
    const old = connect(lab.port, "127.0.0.1");
    old.write(`GET /old HTTP/1.0\r\n${HOST}\r\n`);
    const [error] = (await once(old.resume(), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    expect(asked).toEqual(["/sized", "/chunked", "/old"]);
  });

  it("and is started again: connections of its earlier life are no error, not even for what is sent once", async () => {
    lab = await RouterLab.start();
    const serve = (_: IncomingMessage, response: ServerResponse) => response.end("ok");
    const machine = await lab.machine("m1", serve);
    const { internalPort: port } = machine.route.services[0]!;
    for (const startId of ["start-2", "start-3", "start-4"]) {
      await Promise.all(Array.from({ length: 20 }, () => lab.fetch("/")));
      lab.routes.change("m1", { state: "restarting" });
      await machine.die();
      const again = createServer(serve).listen(port, "127.0.0.1");
      await once(again, "listening");
      lab.routes.change("m1", { state: "started", startId });
      const posts = Array.from({ length: 20 }, () => lab.fetch("/", { method: "POST", body: "x" }));
      expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(Array(20).fill(200));
      again.closeAllConnections();
      await new Promise((done) => again.close(done));
      machine.server.listen(port, "127.0.0.1");
      await once(machine.server, "listening");
      lab.routes.change("m1", { startId: `${startId}-again` });
    }
  });

  it("while it is restarted, alone: what may be repeated waits for it and is answered", async () => {
    lab = await RouterLab.start();
    const machine = await lab.machine("m1", (incoming) => incoming.socket.destroy());
    lab.host.answers = () => new Promise(() => undefined);
    const answer = lab.fetch("/");
    await once(machine.server, "request");
    lab.routes.change("m1", { state: "restarting" });
    machine.server.removeAllListeners("request").on("request", (_, response) => response.end("back"));
    lab.routes.change("m1", { state: "started", startId: "start-2" });
    expect(await answer).toMatchObject({ status: 200, body: "back" });
  });
});
