import { afterEach, describe, expect, it } from "@jest/globals";
import { ApiClient, apiBase, assertToken } from "./api-client.ts";
import { answering, serveWeb, type WebServer } from "./web-server.fixture.ts";

let server: WebServer | undefined;
afterEach(async () => server?.close());

type Handler = Parameters<typeof serveWeb>[0];

async function clientOf(handle: Handler): Promise<ApiClient> {
  server = await serveWeb(handle);
  return new ApiClient(server.base, "secret-token");
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("a request to the API", () => {
  it("carries the token and returns the answer", async () => {
    const api = await clientOf(answering({ "/v1/apps": { apps: [] }, "/list": [1] }));
    expect(await api.get<{ apps: unknown[] }>("/v1/apps", "apps")).toEqual({ apps: [] });
    expect(await api.list<number>("/list")).toEqual([1]);
    expect(server!.tokens[0]).toBe("Bearer secret-token");
  });

  it("throws what the API refused, with its code and details", async () => {
    const api = await clientOf((_, response) => {
      response
        .writeHead(422)
        .end(JSON.stringify({ error: "no room", status: "disk_full", details: { a: 1 } }));
    });
    const refused = { refusal: { code: "disk_full", message: "no room", details: { a: 1 } } };
    await expect(api.list("/x")).rejects.toMatchObject(refused);
  });

  const foreign: [string, Handler][] = [
    ["a web page", (_, response) => response.end("<html>hello</html>")],
    ["a page that is not found", (_, response) => response.writeHead(404).end("<html>")],
    ["other JSON", (_, response) => response.end('{"status":"ok"}')],
    ["JSON of no error", (_, response) => response.writeHead(500).end("null")],
    ["nothing", (_, response) => response.end()],
    ["null", (_, response) => response.end("null")],
  ];
  it.each(foreign)("that another server answers with %s says so", async (_name, handle) => {
    const api = await clientOf(handle);
    await expect(api.get<{ hosts: unknown }>("/x", "hosts")).rejects.toThrow(
      /is no Machines API.*DROVER_API/,
    );
    await expect(api.list("/x")).rejects.toThrow(/is no Machines API/);
  });

  it("whose answer breaks off says so", async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("[{", () => response.destroy());
    });
    await expect(api.list("/x")).rejects.toThrow(/broke off its answer/);
  });

  it("that nobody hears names the address, never the token", async () => {
    const api = await clientOf(() => undefined);
    await server!.close();
    const thrown = await api.list("/x").catch((error: Error) => error.message);
    expect(thrown).toBe(
      `no API answers at ${server!.base}: start the cluster with \`drover up\`, or set DROVER_API`,
    );
  });
});

describe("a stream of lines", () => {
  it("yields them as they are cut anywhere, to the end", async () => {
    const api = await clientOf((_, response) => {
      const text = Buffer.from('{"text":"grüße"}\n\n{"text":"b"}\n');
      response.write(text.subarray(0, 12), () => response.end(text.subarray(12)));
    });
    const lines = await collect(api.stream("/x", new AbortController().signal));
    expect(lines).toEqual([{ text: "grüße" }, { text: "b" }]);
  });

  it("ends in silence when it is told to", async () => {
    const api = await clientOf((_, response) => response.write('{"n":1}\n'));
    const stop = new AbortController();
    const seen: unknown[] = [];
    for await (const line of api.stream("/x", stop.signal)) {
      seen.push(line);
      stop.abort();
    }
    expect(seen).toEqual([{ n: 1 }]);
  });

  it("that breaks off, or is none of the API's, says so", async () => {
    const broken = await clientOf((_, response) => {
      response.write('{"n":1}\n', () => setTimeout(() => response.destroy(), 20));
    });
    const { signal } = new AbortController();
    await expect(collect(broken.stream("/x", signal))).rejects.toThrow(/broke off/);
    await server!.close();
    const other = await clientOf((_, response) => response.end("<html>\n</html>\n"));
    await expect(collect(other.stream("/x", signal))).rejects.toThrow(/is no Machines API/);
  });
});

describe("an API's address", () => {
  it.each([
    ["http://127.0.0.1:4280", "http://127.0.0.1:4280"],
    ["http://127.0.0.1:4280/v1/", "http://127.0.0.1:4280"],
    ["127.0.0.1:4280", "http://127.0.0.1:4280"],
    ["https://api.example/drover/v1", "https://api.example/drover"],
  ])("%s is %s", (text, base) => expect(apiBase(text)).toBe(base));

  it.each(["ftp://x", "http://", "http://user:secret@host", "::::"])("%s is none", (text) => {
    expect(() => apiBase(text)).toThrow(/is no address: set http/);
  });
});

describe("a token", () => {
  it("is one word", () => expect(assertToken("drover_0f", "x")).toBe("drover_0f"));

  it.each(["", "two words", "line\nline", "gemäß"])("is not %p, and is not shown", (text) => {
    expect(() => assertToken(text, "DROVER_TOKEN")).toThrow(/^DROVER_TOKEN holds no token: it is empty, or/);
  });
});
