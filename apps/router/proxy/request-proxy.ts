import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestTrace } from "#contracts";
import type { Clock, Ids } from "#kernel";
import type { Metrics } from "#service";
import { Dispatcher } from "./dispatcher.ts";
import { EdgeServer } from "./edge-server.ts";
import { STOPPING, unknownHost } from "./failures.ts";
import { clientIp, forwardedHeaders } from "./forwarded-headers.ts";
import { Hold } from "./hold.ts";
import type { ProxyLimits } from "./limits.ts";
import { ProxyMetrics } from "./proxy-metrics.ts";
import { type Refused, refuse } from "./refused.ts";
import { RequestBody } from "./request-body.ts";
import { type RequestHead, readHead } from "./request-head.ts";
import type { Routes } from "./routes.ts";
import { TraceOutbox } from "./trace-outbox.ts";
import type { UpgradingClient } from "./upgrading-client.ts";
import { Upstreams } from "./upstream.ts";
import { isIdempotent, Visit } from "./visit.ts";
import { type WakeCaller, Wakes } from "./wakes.ts";

export interface ProxySettings {
  readonly routerId: string;
  readonly region: string;
  /** An app answers at `<app>.<domain>`. */
  readonly domains: readonly string[];
  readonly limits: ProxyLimits;
}

export interface ProxyParts {
  readonly settings: ProxySettings;
  readonly routes: Routes;
  readonly wakeCaller: WakeCaller;
  /** Sends a trace to the hub. False when that is not there. */
  readonly sendTrace: (trace: RequestTrace) => boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: Metrics;
}

/** What services call the port for HTTP, whatever the router really listens on. */
const EDGE_PORT = 80;

/** The router's way for requests: from a client's connection to a machine's and back. */
export class RequestProxy {
  readonly #parts: ProxyParts;
  readonly #metrics: ProxyMetrics;
  readonly #hold: Hold;
  readonly #upstreams: Upstreams;
  readonly #wakes: Wakes;
  readonly #dispatcher: Dispatcher;
  readonly #edge: EdgeServer;
  readonly #unfollow: () => void;
  #port = 0;
  #isStopping = false;

  constructor(parts: ProxyParts) {
    const { settings, routes, wakeCaller, sendTrace, clock, ids, metrics } = parts;
    const { limits, routerId, region } = settings;
    this.#parts = parts;
    this.#hold = new Hold(limits);
    this.#metrics = new ProxyMetrics(metrics, () => this.#hold.count);
    this.#upstreams = new Upstreams(limits.connectMs, clock);
    this.#wakes = new Wakes({
      caller: wakeCaller,
      table: routes.table,
      uses: routes.uses,
      clock,
      startMs: limits.holdMs,
      asked: this.#metrics.woke,
      ended: (appName) => this.#hold.stir(appName),
    });
    this.#dispatcher = new Dispatcher({
      ...{ routes, wakes: this.#wakes, hold: this.#hold, upstreams: this.#upstreams },
      ...{ metrics: this.#metrics, clock, limits, routerId },
      outbox: new TraceOutbox(sendTrace, this.#metrics.traceDropped, clock),
      wish: {
        edgePort: EDGE_PORT,
        region,
        isSilent: (hostId) => routes.isSilent(hostId),
        random: () => ids.random(),
      },
    });
    this.#edge = new EdgeServer(
      limits,
      (request, response, upgrading) => this.#arrived(request, response, upgrading),
      (status) => this.#metrics.answered(status),
    );
    this.#unfollow = routes.onChange((appName) => this.#routesChanged(appName));
  }

  /** Throws a refusal `port_taken` when somebody else listens there. Resolves to the port. */
  async listen(at: { readonly host: string; readonly port: number }): Promise<number> {
    this.#port = await this.#edge.listen(at);
    return this.#port;
  }

  /** Takes no new requests, refuses those that are held, and lets those under way end: for a bounded time. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#dispatcher.stop();
    const ended = this.#edge.close();
    this.#hold.end();
    const patience = setTimeout(() => this.#edge.cut(), this.#parts.settings.limits.drainMs);
    await ended;
    clearTimeout(patience);
    this.#unfollow();
    this.#wakes.close();
    this.#upstreams.close();
  }

  #routesChanged(appName: string): void {
    this.#upstreams.follow(appName, this.#parts.routes.table.machinesOf(appName));
    this.#wakes.follow();
    this.#hold.stir(appName);
  }

  #arrived(request: IncomingMessage, response: ServerResponse, upgrading: UpgradingClient | undefined): void {
    const { settings, routes, ids } = this.#parts;
    const id = ids.ulid();
    const head = readHead(request);
    if ("code" in head || this.#isStopping) {
      this.#refuse(request, response, id, "code" in head ? head : STOPPING);
      return;
    }
    const body = this.#bodyOf(request, head);
    const appName = routes.table.appOf(head.host, settings.domains);
    if (appName === undefined) {
      this.#refuse(request, response, id, unknownHost(head.host), body);
      return;
    }
    const client = {
      ip: clientIp(request.socket.remoteAddress),
      requestId: id,
      isUpgrade: upgrading !== undefined,
    };
    const headers = forwardedHeaders(head, client, { region: settings.region, port: this.#port });
    const arrivedMs = this.#parts.clock.monotonicMs();
    const visit = new Visit({ id, appName, request, response, head, headers, body, upgrading, arrivedMs });
    void this.#dispatcher.serve(visit);
  }

  #bodyOf(request: IncomingMessage, head: RequestHead): RequestBody {
    const of = { isNone: head.body === "none", mayRepeat: isIdempotent(request.method!) };
    return new RequestBody(request, of, this.#parts.settings.limits);
  }

  /** Before it is a visit to an app. Without a `body` that can be told from the next request, the connection ends. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    refused: Refused,
    body?: RequestBody,
  ): void {
    this.#metrics.refused(refused.code);
    if (body === undefined) response.shouldKeepAlive = false;
    this.#metrics.answered(refuse(response, refused, ["Fly-Request-Id", id]));
    if (body === undefined) request.resume();
    else body.discard();
  }
}
