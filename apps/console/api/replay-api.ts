import type {
  ReplayAt,
  ReplayDiff,
  ReplayEntityState,
  ReplayExplanation,
  ReplayExport,
  ReplayExportRequest,
  ReplayExtent,
  ReplaySteps,
  ReplayViolations,
} from "#contracts";
import { ApiTrouble } from "./trouble.ts";
import { wallMs } from "./wall-clock.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

/** Which steps: on one side of a moment; of one entity or type. */
export interface StepsWish extends Query {
  readonly after?: string;
  readonly before?: string;
  readonly limit: number;
  readonly entity?: string;
}

/** The API's answers about history. Every method throws `ApiTrouble`, or an abort. */
export class ReplayApi {
  #token: string | undefined;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  bringToken(token: string): void {
    this.#token = token;
  }

  extent(): Promise<ReplayExtent> {
    return this.#get("replay/extent", {});
  }

  at(moment: string, signal?: AbortSignal): Promise<ReplayAt> {
    return this.#get("replay/at", { m: moment }, signal);
  }

  steps(wish: StepsWish, signal?: AbortSignal): Promise<ReplaySteps> {
    return this.#get("replay/steps", wish, signal);
  }

  entity(entity: string, moment: string, signal?: AbortSignal): Promise<ReplayEntityState> {
    return this.#get("replay/entity", { entity, m: moment }, signal);
  }

  diff(a: string, b: string, entity: string | undefined, signal?: AbortSignal): Promise<ReplayDiff> {
    return this.#get("replay/diff", { a, b, entity }, signal);
  }

  why(kind: string, id: string, moment: string, signal?: AbortSignal): Promise<ReplayExplanation> {
    return this.#get("replay/why", { kind, id, m: moment }, signal);
  }

  violations(signal?: AbortSignal): Promise<ReplayViolations> {
    return this.#get("replay/violations", { until: "now" }, signal);
  }

  async export(wish: ReplayExportRequest): Promise<ReplayExport> {
    const headers = { "content-type": "application/json" };
    const response = await this.#ask("replay/export", {
      method: "POST",
      body: JSON.stringify(wish),
      headers,
    });
    return (await response.json()) as ReplayExport;
  }

  /** Calls back whenever something has happened, until the signal. Throws when the connection ends. */
  async follow(onNews: () => void, signal: AbortSignal): Promise<void> {
    const response = await this.#ask("events", { signal });
    const reader = response.body?.getReader();
    for (let more = reader !== undefined; more; ) {
      const { done } = await reader!.read().catch((error: unknown) => {
        throw signal.aborted ? error : new ApiTrouble("away", "the connection was cut", wallMs());
      });
      more = !done;
      if (more) onNews();
    }
    if (!signal.aborted) throw new ApiTrouble("away", "the connection was closed", wallMs());
  }

  async #get<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
    const asked = Object.entries(query).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)]],
    );
    const response = await this.#ask(`${path}?${new URLSearchParams(asked)}`, signal ? { signal } : {});
    return (await response.json()) as T;
  }

  async #ask(path: string, wish: RequestInit): Promise<Response> {
    const headers = new Headers(wish.headers);
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    const response = await fetch(`/drover/v1/${path}`, { ...wish, headers }).catch((error: unknown) => {
      throw wish.signal?.aborted ? error : new ApiTrouble("away", "the API does not answer", wallMs());
    });
    if (response.ok) return response;
    throw await troubleOf(response);
  }
}

async function troubleOf(response: Response): Promise<ApiTrouble> {
  const text = await response.text().catch(() => "");
  const message = messageOf(text) ?? `the API answered ${response.status}`;
  const kind = response.status === 401 ? "token" : response.status >= 502 ? "away" : "refused";
  return new ApiTrouble(kind, message, wallMs());
}

function messageOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}
