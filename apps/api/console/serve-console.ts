import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Ids } from "#kernel";
import { ConsolePage, type PageFile } from "./console-page.ts";

/** Where the page says which of its inline styles are its own; stands in the built page's index. */
const NONCE = "__NONCE__";
/** Paths that are not the page's, whoever asks. */
const OTHERS = /^\/(v1|drover|healthz|readyz|metrics)(\/|$)/;
const NOT_BUILT =
  "The console was not built: run `npm run build` (`./drover up` does it), then restart the API.\n";

/** Where the build puts the page, seen from this file as source or compiled. */
export function builtPage(): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return new URL(isSource ? "../../../dist/console" : "../../../console", import.meta.url);
}

/**
 * The page at `/`, without a token: it holds nothing but itself, and asks with the token that its reader gave it. Browsers
 * may load and run nothing with it that is not from here.
 */
export function serveConsole(fastify: FastifyInstance, folder: string, ids: Ids): void {
  const page = new ConsolePage(folder);
  // Before the routes: the page's own places (`/machine/…`) are none of the API's.
  fastify.addHook("onRequest", async (request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") return;
    const path = request.url.split(/[?#]/, 1)[0]!;
    if (OTHERS.test(path)) return;
    const file = path === "/" ? undefined : await page.file(path.slice(1));
    if (file !== undefined && path !== "/index.html") return sendFile(request, reply, file);
    if (path !== "/" && !wantsPage(request)) return;
    const index = await page.file("index.html");
    if (index !== undefined) return sendIndex(reply, index, ids.randomHex(16));
    return reply.status(404).type("text/plain; charset=utf-8").send(NOT_BUILT);
  });
}

/** A person who follows a link, not a program that asks for a file. */
function wantsPage({ headers, url }: FastifyRequest): boolean {
  return /\btext\/html\b/.test(headers.accept ?? "") && !url.startsWith("/assets/");
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  const { type, body, gzipped, isHashed } = file;
  const isGzipped =
    gzipped !== undefined && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  reply.headers({
    ...GUARDED,
    "content-type": type,
    "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "accept-encoding",
    ...(isGzipped ? { "content-encoding": "gzip" } : {}),
  });
  const content = isGzipped ? gzipped : body;
  if (request.method !== "HEAD") return reply.send(content);
  return reply.header("content-length", content.length).send();
}

function sendIndex(reply: FastifyReply, { type, body }: PageFile, nonce: string): FastifyReply {
  reply.headers({
    ...GUARDED,
    "content-type": type,
    "cache-control": "no-store",
    "content-security-policy": policy(nonce),
  });
  return reply.send(body.toString().replaceAll(NONCE, nonce));
}

const GUARDED = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
} as const;

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
