import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { heard, RouterLab } from "./router-lab.fixture.ts";

const HOST = "Host: app.localhost\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const ZERO = "0\r\n\r\n";
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

const post = (headers: string, body = "") => `POST / HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const get = (headers: string) => `GET / HTTP/1.1\r\n${headers}\r\n`;

/** Requests that two servers might read differently: each is refused, and nothing of it reaches a machine. */
const REFUSED: Readonly<Record<string, readonly [number, string]>> = {
  "a length and chunks": [400, post(`Content-Length: 5\r\n${CHUNKED}`, ZERO + SMUGGLED)],
  "chunks and a length": [400, post(`${CHUNKED}Content-Length: 5\r\n`, ZERO + SMUGGLED)],
  "two lengths": [400, post("Content-Length: 2\r\nContent-Length: 44\r\n", `ab${SMUGGLED}`)],
  "twice the same length": [400, post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab")],
  "a list of lengths": [400, post("Content-Length: 2, 2\r\n", "ab")],
  "a length with a sign": [400, post("Content-Length: +2\r\n", "ab")],
  "a length beyond all numbers": [400, post("Content-Length: 99999999999999999999\r\n", "ab")],
  "no length in Content-Length": [400, post("Content-Length: \r\n", "ab")],
  "an unknown coding": [501, post("Transfer-Encoding: xchunked\r\n", ZERO)],
  "chunks within chunks": [400, post(CHUNKED + CHUNKED, ZERO)],
  "chunks that are not the last coding": [400, post("Transfer-Encoding: chunked, identity\r\n", ZERO)],
  "another coding within chunks": [501, post("Transfer-Encoding: gzip, chunked\r\n", ZERO)],
  "chunks in HTTP/1.0": [400, `POST / HTTP/1.0\r\n${HOST}${CHUNKED}\r\n${ZERO}`],
  "a folded line": [400, get(`${HOST}X: a\r\n b\r\n`)],
  "a folded coding": [400, post("Transfer-Encoding:\r\n chunked\r\n", ZERO + SMUGGLED)],
  "a space before the colon": [400, post("Transfer-Encoding : chunked\r\n", ZERO + SMUGGLED)],
  "a line that ends with LF": [400, "GET / HTTP/1.1\r\nHost: app.localhost\nX: b\r\n\r\n"],
  "a line that ends with CR": [400, "GET / HTTP/1.1\r\nHost: app.localhost\rX: b\r\n\r\n"],
  "a NUL in a header": [400, get(`${HOST}X: a\0b\r\n`)],
  "no Host": [400, get("")],
  "no Host in HTTP/1.0": [400, "GET / HTTP/1.0\r\n\r\n"],
  "two Hosts": [400, get(`${HOST}Host: other.localhost\r\n`)],
  "a target without a path": [400, `GET a HTTP/1.1\r\n${HOST}\r\n`],
  "a target with credentials": [400, `GET http://u:p@app.localhost/ HTTP/1.1\r\n${HOST}\r\n`],
  "a method that is none": [400, `SMUGGLE / HTTP/1.1\r\n${HOST}\r\n`],
  "a version that is none": [400, `GET / HTTP/1.2\r\n${HOST}\r\n`],
  "HTTP/2 out of the blue": [505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  "another expectation": [417, post("Expect: wonders\r\n")],
  "a tunnel to elsewhere": [405, `CONNECT example.org:80 HTTP/1.1\r\n${HOST}\r\n`],
  "a head that is too large": [431, get(`${HOST}X: ${"a".repeat(20_000)}\r\n`)],
};

describe("clients that speak broken or hostile HTTP", () => {
  let lab: RouterLab;
  /** Requests that the machine got whole. */
  const seen: string[] = [];

  beforeAll(async () => {
    lab = await RouterLab.start({ headMs: 300, restMs: 1_000 });
    await lab.machine("m1", (request, response) => {
      let bytes = 0;
      request.on("data", (chunk) => {
        bytes += chunk.length;
      });
      request.on("end", () => {
        seen.push(`${request.method} ${request.url}`);
        response.end(`${request.headers.host} ${request.url} ${bytes} bytes`);
      });
      request.on("error", () => undefined);
    });
  });
  afterAll(() => lab.stop());

  it.each(Object.entries(REFUSED))(
    "F51: %s is refused, by name and with the connection",
    async (_, [status, bytes]) => {
      seen.length = 0;
      const text = await lab.raw(bytes);
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nconnection: close\r\n`, "is"));
      const [, body] = text.split("\r\n\r\n");
      expect(JSON.parse(body!)).toEqual({ error: expect.any(String), status: expect.any(String) });
      expect(text.match(/^HTTP/gm)).toHaveLength(1);
      expect(seen).not.toContain("GET /smuggled");
    },
  );

  it.each([
    "1\nx\n0\n\n",
    "-1\r\nx\r\n0\r\n\r\n",
    "10000000000000001\r\nx\r\n0\r\n\r\n",
    "1\r\nxy\r\n0\r\n\r\n",
  ])(
    "F51: a body with the chunks %j ends the connection, and is a whole request to nobody",
    async (chunks) => {
      seen.length = 0;
      expect(await lab.raw(post(CHUNKED, `${chunks}${SMUGGLED}`))).toBe("");
      await lab.fetch("/last");
      expect(seen).toEqual(["GET /last"]);
    },
  );

  it("F51: the host of an absolute target is the one that counts, for the router and for the machine", async () => {
    const text = await lab.raw(`GET http://app.localhost?q HTTP/1.1\r\nHost: nobody\r\n\r\n`, /bytes/);
    expect(text).toContain("app.localhost /?q 0 bytes");
  });

  it("F51: HTTP/2 is not upgraded to, and the request is served", async () => {
    const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    expect(await lab.raw(get(HOST + upgrade), /bytes/)).toContain("app.localhost / 0 bytes");
  });

  it("F51: garbage after a request ends the connection, and no word of that is taken for its answer", async () => {
    const slow = `GET /first HTTP/1.1\r\n${HOST}\r\n\x01\x02\x03\r\n\r\n`;
    expect(await lab.raw(slow)).not.toContain("400");
  });

  it("F51: a body that names its size twice in its own way is one body", async () => {
    const text = await lab.raw(post("Content-Length: 5\r\nConnection: Content-Length\r\n", "12345"), /bytes/);
    expect(text).toContain("/ 5 bytes");
  });

  it("F51: slow heads end in time, silent connections too", async () => {
    const slow = connect(lab.port, "127.0.0.1");
    slow.write("GET / HTTP/1.1\r\nX-Slow: ");
    const timer = setInterval(() => slow.write("a"), 50);
    expect(await heard(slow, /$^/)).toMatch(/^HTTP\/1.1 408 /);
    clearInterval(timer);
    expect(await heard(connect(lab.port, "127.0.0.1"), /$^/)).toBe("");
  });
});
