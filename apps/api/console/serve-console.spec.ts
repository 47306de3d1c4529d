import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { fastify as makeFastify } from "fastify";
import { SystemClock, SystemIds } from "#kernel";
import { serveConsole } from "./serve-console.ts";

const SCRIPT = `console.log("${"long ".repeat(500)}");`;
const fastify = makeFastify();
const empty = makeFastify();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "drover-page-"));
  mkdirSync(join(folder, "page/assets"), { recursive: true });
  const page = '<meta property="csp-nonce" nonce="__NONCE__"><script src="/assets/a-1f.js"></script>';
  writeFileSync(join(folder, "page/index.html"), page);
  writeFileSync(join(folder, "page/icon.svg"), "<svg/>");
  writeFileSync(join(folder, "page/assets/a-1f.js"), SCRIPT);
  writeFileSync(join(folder, "secret"), "nobody's business");
  const ids = new SystemIds(new SystemClock());
  for (const [server, name] of [
    [fastify, "page"],
    [empty, "nothing"],
  ] as const) {
    serveConsole(server, join(folder, name), ids);
    server.get("/v1/apps", () => "apps");
    server.get("/healthz", () => "well");
    await server.ready();
  }
});
afterAll(async () => {
  await Promise.all([fastify.close(), empty.close()]);
  rmSync(folder, { recursive: true });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  fastify.inject({ method: "GET", url, headers });
const asBrowser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("the console's page", () => {
  it("is served at / without a token, and may load nothing from elsewhere", async () => {
    const { statusCode, headers, body } = await get("/?m=now");
    expect(statusCode).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-store");
    const nonce = /nonce="([0-9a-f]{32})"/.exec(body)?.[1];
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect((await get("/")).headers["content-security-policy"]).not.toBe(policy);
  });

  it("has assets that are kept for ever, compressed for who takes that", async () => {
    const plain = await get("/assets/a-1f.js");
    expect(plain.body).toBe(SCRIPT);
    expect(plain.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    const small = await get("/assets/a-1f.js", { "accept-encoding": "br, gzip" });
    expect(small.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(small.rawPayload).toString()).toBe(SCRIPT);
    const icon = await get("/icon.svg");
    expect(icon.headers["content-type"]).toBe("image/svg+xml");
    expect(icon.headers["cache-control"]).toBe("no-cache");
    const head = await fastify.inject({ method: "HEAD", url: "/assets/a-1f.js" });
    expect([head.statusCode, head.body]).toEqual([200, ""]);
  });

  it("is there for whoever follows a link into it, and not for the API's own paths", async () => {
    expect((await get("/machine/148e", asBrowser)).body).toContain("csp-nonce");
    expect((await get("/machine/148e")).statusCode).toBe(404);
    expect((await get("/assets/gone.js", asBrowser)).statusCode).toBe(404);
    for (const path of ["/v1/nothing", "/drover/v1/replay/none", "/v1"]) {
      expect((await get(path, asBrowser)).body).not.toContain("csp-nonce");
    }
    expect((await get("/v1/apps", asBrowser)).body).toBe("apps");
    expect((await get("/healthz", asBrowser)).body).toBe("well");
    expect((await fastify.inject({ method: "POST", url: "/" })).statusCode).toBe(404);
  });

  it.each([
    "/../secret",
    "/assets/../../secret",
    "/%2e%2e/secret",
    "/assets/%2e%2e%2f%2e%2e%2fsecret",
    "//secret",
    "/..%5csecret",
  ])("does not go where %s leads", async (path) => {
    const { statusCode, body } = await get(path);
    expect([statusCode, body.includes("nobody")]).toEqual([404, false]);
  });

  it("says what to do where it was not built", async () => {
    const { statusCode, body } = await empty.inject({ method: "GET", url: "/" });
    expect(statusCode).toBe(404);
    expect(body).toBe(
      "The console was not built: run `npm run build` (`./drover up` does it), then restart the API.\n",
    );
    expect((await empty.inject({ method: "GET", url: "/v1/apps" })).body).toBe("apps");
  });
});
