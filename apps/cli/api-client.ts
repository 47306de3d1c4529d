import type { WebSocket } from "ws";
import { REFUSAL_CODES, type RefusalCode, RefusedError, refusal } from "#kernel";

/** The API lets nobody wait longer than a minute; what is silent for longer than this will not speak. */
const PATIENCE_MS = 90_000;

/** Talks to the Machines API. Errors come out as refusals with the server's own line. */
export class ApiClient {
  readonly base: string;
  readonly #token: string;

  /** `base`: as `apiBase` makes it. */
  constructor(base: string, token: string) {
    this.base = base;
    this.#token = token;
  }

  /** An object that has at least `field`: another server's JSON is told from the API's by it. */
  async get<T extends object>(path: string, field: keyof T & string): Promise<T> {
    return this.#having(field, await this.#json<T>("GET", path));
  }

  async list<T>(path: string): Promise<T[]> {
    const found = await this.#json<T[]>("GET", path);
    if (!Array.isArray(found)) throw this.#foreign();
    return found;
  }

  /** Makes something, and returns it: an object that has at least `field`. */
  async create<T extends object>(
    path: string,
    field: keyof T & string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    return this.#having(field, await this.#json<T>("POST", path, body, headers));
  }

  async post(path: string, body?: unknown): Promise<void> {
    await this.#json("POST", path, body);
  }

  /** Changes something, and returns it, likewise. */
  async put<T extends object>(path: string, field: keyof T & string, body: unknown): Promise<T> {
    return this.#having(field, await this.#json<T>("PUT", path, body));
  }

  async delete(path: string): Promise<void> {
    await this.#json("DELETE", path);
  }

  /** Newline-delimited JSON as it arrives, until the server ends it or `signal` fires. */
  async *stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), PATIENCE_MS);
    try {
      const response = await this.#send("GET", path, {}, AbortSignal.any([signal, silence.signal]));
      clearTimeout(timer);
      for await (const line of linesOf(response)) yield this.#parse<T>(line);
    } catch (error) {
      if (!signal.aborted) throw this.#explained(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A WebSocket, not flowing yet: resume it once somebody listens. */
  async socket(path: string): Promise<WebSocket> {
    // Loaded when it is needed: most commands need none.
    const { openSocket, SocketRefusedError } = await import("./exec/open-socket.ts");
    const headers = { authorization: `Bearer ${this.#token}` };
    try {
      return await openSocket(`${this.base}${path}`.replace(/^http/, "ws"), headers, PATIENCE_MS);
    } catch (error) {
      if (error instanceof SocketRefusedError) throw this.#refusalOf(error.status, error.body);
      throw this.#explained(error);
    }
  }

  async #json<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const withBody =
      body === undefined
        ? { headers }
        : { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
    try {
      const response = await this.#send(method, path, withBody, AbortSignal.timeout(PATIENCE_MS));
      const text = await response.text();
      return text === "" ? (undefined as T) : this.#parse<T>(text);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async #send(
    method: string,
    path: string,
    { headers, body }: { headers?: Record<string, string>; body?: string },
    signal: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      signal,
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok) throw this.#refusalOf(response.status, await response.text());
    return response;
  }

  #having<T extends object>(field: string, found: T): T {
    if (typeof found !== "object" || found === null || !(field in found)) throw this.#foreign();
    return found;
  }

  #parse<T>(text: string): T {
    const parsed = parseJson(text);
    if (parsed === undefined) throw this.#foreign();
    return parsed as T;
  }

  #refusalOf(status: number, text: string): RefusedError {
    const body = parseJson(text) as Record<string, unknown> | null | undefined;
    if (typeof body?.error !== "string") return this.#foreign(` (it answered ${status})`);
    const known = REFUSAL_CODES.includes(body.status as RefusalCode);
    const details = body.details as Record<string, unknown> | undefined;
    return new RefusedError(
      refusal(known ? (body.status as RefusalCode) : "effect_failed", body.error, details ? { details } : {}),
    );
  }

  #foreign(how = ""): RefusedError {
    const message = `what answers at ${this.base} is no Machines API${how}: set DROVER_API to the address that \`drover up\` prints`;
    return new RefusedError(refusal("unreachable", message));
  }

  /** What a failed request means: refused, silent, broken off, or nobody there. */
  #explained(error: unknown): unknown {
    if (error instanceof RefusedError) return error;
    const name = (error as Error).name;
    if (name === "TimeoutError" || name === "AbortError") {
      const message = `${this.base} does not answer within ${PATIENCE_MS / 1_000} s: see \`drover status\`, or set DROVER_API`;
      return new RefusedError(refusal("deadline_exceeded", message));
    }
    const message =
      (error as Error).message === "terminated"
        ? `${this.base} broke off its answer: try again, or see \`drover status\``
        : `no API answers at ${this.base}: start the cluster with \`drover up\`, or set DROVER_API`;
    return new RefusedError(refusal("unreachable", message));
  }
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The API's address without its `/v1`, from a URL or HOST:PORT. Throws a refusal for anything else. */
export function apiBase(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "" && url.username === "") {
    return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/v1$/, "");
  }
  throw new RefusedError(refusal("invalid", `DROVER_API: "${text}" is no address: set http://HOST:PORT`));
}

/** Throws a refusal when a text cannot be a token. It is not shown: it may be a secret all the same. */
export function assertToken(token: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new RefusedError(
    refusal("unauthorized", `${from} holds no token: it is empty, or has spaces or odd characters`),
  );
}
