import { readFile } from "node:fs/promises";
import { REFUSAL_CODES, type RefusalCode, RefusedError, refusal } from "#kernel";

/** Talks to the Machines API. Errors come out as refusals with the server's own line. */
export class ApiClient {
  readonly base: string;
  readonly #token: string;

  /** `base`: "http://127.0.0.1:4280", without `/v1`. */
  constructor(base: string, token: string) {
    this.base = base.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#token = token;
  }

  async get<T>(path: string): Promise<T> {
    return this.#json<T>("GET", path);
  }

  async post<T>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.#json<T>("POST", path, body, headers);
  }

  async delete<T>(path: string): Promise<T> {
    return this.#json<T>("DELETE", path);
  }

  /** Newline-delimited JSON as it arrives, until the server ends it or `signal` fires. */
  async *stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.#send("GET", path, undefined, {}, signal);
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #json<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await this.#send(method, path, body, headers);
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      const message = `no API answers at ${this.base}: start the cluster with \`drover up\`, or set DROVER_API`;
      throw new RefusedError(refusal("unreachable", message));
    });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

async function refusalOf(response: Response): Promise<RefusedError> {
  const text = await response.text().catch(() => "");
  const body = parseObject(text);
  const code = REFUSAL_CODES.includes(body.status as RefusalCode)
    ? (body.status as RefusalCode)
    : "effect_failed";
  const message = typeof body.error === "string" ? body.error : `the API answered ${response.status}`;
  const details = body.details as Record<string, unknown> | undefined;
  return new RefusedError(refusal(code, message, details === undefined ? {} : { details }));
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The token to use: what the environment says, else the local cluster's own. */
export async function findToken(fromEnvironment: string | undefined, tokenFile: string): Promise<string> {
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const text = await readFile(tokenFile, "utf8").catch(() => undefined);
  if (text !== undefined) return text.trim();
  const message = `no token: ${tokenFile} is not there or not readable; start a cluster with \`drover up\`, or set DROVER_TOKEN`;
  throw new RefusedError(refusal("unauthorized", message));
}
