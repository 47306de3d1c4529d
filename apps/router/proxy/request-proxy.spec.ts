import { createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { RouterLab } from "./router-lab.fixture.ts";

const HOST = "Host: app.localhost\r\n";

describe("RequestProxy", () => {
  let lab: RouterLab;
  afterEach(() => lab.stop());

  it("tells the machine who asked and through whom, whatever the client says of itself", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (request, response) => response.end(JSON.stringify(request.rawHeaders)));
    const headers = {
      "X-Mine": "1",
      "Fly-Client-IP": "6.6.6.6",
      "Fly_Client-IP": "6.6.6.6",
      Content_Length: "7",
      "Fly-Request-Id": "mine",
      "X-Forwarded-For": "1.2.3.4",
      "X-Forwarded-Proto": "https",
      Via: "1.1 before",
      Connection: "keep-alive, X-Secret",
      "X-Secret": "between us",
      TE: "trailers",
      "Proxy-Authorization": "x",
    };
    const answer = await lab.fetch("/a?b=c", { headers });
    const seen: string[] = JSON.parse(answer.body);
    const pairs = seen.flatMap((name, i) => (i % 2 === 0 ? [[name, seen[i + 1]]] : []));
    const port = String(lab.port);
    expect(pairs).toEqual([
      ["X-Mine", "1"],
      ["Host", "app.localhost"],
      ["Fly-Client-IP", "127.0.0.1"],
      ["Fly-Request-Id", answer.headers["fly-request-id"]],
      ["Fly-Region", "here"],
      ["Fly-Forwarded-Port", port],
      ["X-Forwarded-For", "1.2.3.4, 127.0.0.1"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Port", port],
      ["Via", "1.1 before, 1.1 drover"],
      ["Connection", "keep-alive"],
    ]);
    expect(answer.headers["fly-request-id"]).toMatch(/^[0-9A-Z]{26}$/);
  });

  it("passes an answer on as it is, without what was between machine and router", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (_, response) => {
      response.writeHead(418, "Short And Stout", [
        ...["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Keep-Alive", "timeout=9", "Connection", "X-Hop"],
        ...["X-Hop", "1", "Date", "then", "Content-Length", "3"],
      ]);
      response.end("tea");
    });
    const text = await lab.raw(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(text.replace(/(?<=Fly-Request-Id: )\w+/, "ID")).toBe(
      "HTTP/1.1 418 Short And Stout\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nDate: then\r\nContent-Length: 3\r\n" +
        "Via: 1.1 drover\r\nFly-Request-Id: ID\r\nConnection: close\r\n\r\ntea",
    );
  });

  it("knows answers without bodies, and keeps the connection in step after them", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (request, response) => {
      if (request.url === "/304") response.writeHead(304, { ETag: '"x"' });
      else if (request.url === "/204") response.writeHead(204);
      else response.setHeader("content-length", 5);
      response.end(request.method === "HEAD" || request.url !== "/" ? undefined : "hello");
    });
    const ask = (method: string, path: string, more = "") =>
      `${method} ${path} HTTP/1.1\r\n${HOST}${more}\r\n`;
    const text = await lab.raw(
      ask("HEAD", "/") + ask("GET", "/204") + ask("GET", "/304") + ask("GET", "/", "Connection: close\r\n"),
    );
    expect(text.match(/^HTTP\/1.1 \d+/gm)).toEqual(["200", "204", "304", "200"].map((s) => `HTTP/1.1 ${s}`));
    expect(text.match(/content-length: \d+/gi)).toHaveLength(2);
    expect(text.endsWith("\r\n\r\nhello")).toBe(true);
    expect(text.match(/hello/g)).toHaveLength(1);
  });

  it("answers requests of one connection in their order, one at a time", async () => {
    lab = await RouterLab.start();
    const seen: string[] = [];
    await lab.machine("m1", (request, response) => {
      seen.push(`${request.url} asked`);
      setTimeout(() => {
        seen.push(`${request.url} answered`);
        response.end(request.url);
      }, 20);
    });
    const ask = (path: string, more = "") => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`;
    const text = await lab.raw(ask("/1") + ask("/2") + ask("/3", "Connection: close\r\n"));
    expect(text.match(/^\/\d/gm)).toEqual(["/1", "/2", "/3"]);
    expect(seen).toEqual(["/1", "/2", "/3"].flatMap((path) => [`${path} asked`, `${path} answered`]));
  });

  it("serves HTTP/1.0 with and without a length", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (request, response) => {
      if (request.url === "/sized") response.setHeader("content-length", 2);
      response.write("o");
      response.end("k");
    });
    const unsized = await lab.raw(`GET / HTTP/1.0\r\n${HOST}\r\n`);
    expect(unsized).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(unsized).not.toMatch(/transfer-encoding/i);
    expect(unsized.endsWith("\r\n\r\nok")).toBe(true);
    const twice = `GET /sized HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`;
    const sized = await lab.raw(`${twice}GET /sized HTTP/1.0\r\n${HOST}\r\n`);
    expect(sized.match(/\r\n\r\nok/g)).toHaveLength(2);
  });

  it("passes trailers on both ways, but for those that frame a message", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write(JSON.stringify(request.trailers));
        response.addTrailers({ "X-Sum": "42", Host: "evil" });
        response.end();
      });
    });
    const text = await lab.raw(
      `POST / HTTP/1.1\r\n${HOST}Trailer: X-T\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
        "2\r\nhi\r\n0\r\nX-T: 7\r\nHost: evil\r\n\r\n",
    );
    expect(text).toContain('{"x-t":"7"}');
    expect(text).toContain("\r\nTrailer: X-Sum\r\n");
    expect(text.endsWith("\r\n0\r\nX-Sum: 42\r\n\r\n")).toBe(true);
  });

  it("lets the machine say whether a body is sent at all", async () => {
    lab = await RouterLab.start();
    const machine = await lab.machine("m1", () => undefined);
    machine.server.on("checkContinue", (request, response) => {
      if (request.url === "/no") return void response.writeHead(413).end("no");
      response.writeContinue();
      request.on("data", (chunk) => response.end(`got ${chunk}`));
    });
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    expect(await lab.raw(head("/yes"), /100 Continue\r\n\r\n/)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    expect(await lab.raw(`${head("/yes")}body`, /got body/)).toMatch(/100 Continue.*200 OK.*got body/s);
    const refused = await lab.raw(head("/no"));
    expect(refused).toMatch(/^HTTP\/1.1 413 .*\r\nConnection: close\r\n/s);
  });

  it("passes an early answer on, and lets a client that is still sending come to its end", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (request, response) => {
      if (request.url === "/2") return void response.end("second");
      response.writeHead(403, { "content-length": 2 }).end("no");
    });
    const rest = "x".repeat(500_000);
    const text = await lab.raw(
      `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 500000\r\n\r\n${rest}GET /2 HTTP/1.1\r\n${HOST}\r\n`,
      /second/,
    );
    expect(text).toMatch(/^HTTP\/1.1 403 .*\r\n\r\nnoHTTP\/1.1 200 .*second/s);
  });

  it("says where it is said early that more is to come", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.end("done");
    });
    const text = await lab.raw(`GET / HTTP/1.1\r\n${HOST}\r\n`, /done/);
    expect(text).toMatch(/^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 200 /);
  });

  it("sends the head of an answer before its body comes", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (_, response) => response.writeHead(200).flushHeaders());
    expect(await lab.raw(`GET / HTTP/1.1\r\n${HOST}\r\n`, /\r\n\r\n/)).toMatch(/^HTTP\/1.1 200 OK/);
  });

  it("calls what is no HTTP a bad answer", async () => {
    lab = await RouterLab.start();
    const tcp = createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH_9\r\n")).listen(0, "127.0.0.1");
    const { route } = await lab.machine("m1", () => undefined);
    const { port } = tcp.address() as { port: number };
    lab.routes.change("m1", { services: [{ ...route.services[0]!, internalPort: port }] });
    const answer = await lab.fetch("/");
    expect([answer.status, JSON.parse(answer.body).status]).toEqual([502, "bad_answer"]);
    tcp.close();
  });

  it("names the reason when there is nobody to ask", async () => {
    lab = await RouterLab.start();
    const unknown = await lab.fetch("/", { host: "nobody.localhost" });
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.body)).toEqual({
      error: "no app answers at nobody.localhost",
      status: "unknown_host",
    });
    const empty = await lab.fetch("/");
    expect([empty.status, JSON.parse(empty.body).status]).toEqual([503, "no_machine"]);
    expect(empty.headers["retry-after"]).toBe("1");
    await lab.machine("m1", () => undefined, { route: { state: "stopped" }, service: { autostart: false } });
    expect(JSON.parse((await lab.fetch("/")).body).status).toBe("machine_stopped");
  });

  it("lets what is under way end when it is stopped, and takes nothing new", async () => {
    lab = await RouterLab.start({ drainMs: 5_000 });
    const asked = Promise.withResolvers<() => void>();
    await lab.machine("m1", (_, response) => asked.resolve(() => response.end("done")));
    const first = lab.fetch("/");
    const held = lab.fetch("/", { host: "asleep.localhost" });
    await lab.machine("m2", () => undefined, { route: { appName: "asleep", state: "stopped" } });
    lab.host.answers = () => new Promise(() => undefined);
    const answerFirst = await asked.promise;
    const stopped = lab.proxy.stop();
    expect([JSON.parse((await held).body).status]).toEqual([
      expect.stringMatching(/no_machine|router_stopping/),
    ]);
    await expect(lab.fetch("/")).rejects.toThrow("ECONNREFUSED");
    answerFirst();
    expect(await first).toMatchObject({ status: 200, body: "done" });
    await stopped;
  });
});
