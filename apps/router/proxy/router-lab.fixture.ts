import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type RequestTrace, type Service, servicesOf } from "#contracts";
import { type Result, refusal, SystemClock, SystemIds } from "#kernel";
import { type Route, Uses } from "#routing";
import { Metrics } from "#service";
import { limitsSchema, type ProxyLimits } from "./limits.ts";
import { RequestProxy } from "./request-proxy.ts";
import type { Routes } from "./routes.ts";
import { WakeCaller } from "./wakes.ts";

/** Routes that a test sets by hand: one app per first label of the host. */
export class LabRoutes implements Routes {
  readonly uses = new Uses();
  readonly silent = new Set<string>();
  readonly #machines = new Map<string, Route>();
  readonly #listeners = new Set<(appName: string) => void>();

  readonly table = {
    appOf: (host: string | undefined) => {
      const appName = host?.split(/[.:]/, 1)[0] ?? "";
      return appName === "nobody" ? undefined : appName;
    },
    machinesOf: (appName: string) =>
      new Map([...this.#machines].filter(([, route]) => route.appName === appName)),
    get: (machineId: string) => this.#machines.get(machineId),
  };

  put(route: Route): void {
    this.#machines.set(route.machineId, route);
    this.#changed(route.appName);
  }

  /** Says something new of a machine. */
  change(machineId: string, news: Partial<Route>): void {
    this.put({ ...this.#machines.get(machineId)!, ...news });
  }

  remove(machineId: string): void {
    const route = this.#machines.get(machineId)!;
    this.#machines.delete(machineId);
    this.#changed(route.appName);
  }

  isSilent(hostId: string): boolean {
    return this.silent.has(hostId);
  }

  onChange(listener: (appName: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(appName: string): void {
    for (const listener of this.#listeners) listener(appName);
  }
}

/** A host that does what the test says when it is asked for a wake. */
export class LabHost extends WakeCaller {
  /** Machines it was asked for, and by which request. */
  readonly asked: { readonly machineId: string; readonly requestId: string }[] = [];
  answers: (route: Route) => Promise<Result<unknown>> = async () => ({
    kind: "refused",
    refusal: refusal("unreachable", "nobody is there"),
  });

  override wake(route: Route, requestId: string): Promise<Result<unknown>> {
    this.asked.push({ machineId: route.machineId, requestId });
    return this.answers(route);
  }
}

/** A program in a machine: a real server on a port of its own. */
export interface LabMachine {
  readonly server: Server;
  readonly route: Route;
  /** Connections it has taken. */
  readonly sockets: readonly Socket[];
  /** Its process ends, in the middle of whatever it does. */
  die(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A router's whole way for requests with real sockets at both ends; only routes and hosts are the test's. */
export class RouterLab {
  readonly routes = new LabRoutes();
  readonly host = new LabHost();
  readonly traces: RequestTrace[] = [];
  readonly metrics = new Metrics();
  readonly proxy: RequestProxy;
  port = 0;
  readonly #machines: LabMachine[] = [];

  private constructor(limits: Partial<ProxyLimits>) {
    const clock = new SystemClock();
    this.proxy = new RequestProxy({
      settings: {
        routerId: "r1",
        region: "here",
        domains: ["localhost"],
        limits: { ...limitsSchema.parse({}), drainMs: 200, ...limits },
      },
      routes: this.routes,
      wakeCaller: this.host,
      sendTrace: (trace) => this.traces.push(trace) > 0,
      clock,
      ids: new SystemIds(clock),
      metrics: this.metrics,
    });
  }

  static async start(limits: Partial<ProxyLimits> = {}): Promise<RouterLab> {
    const lab = new RouterLab(limits);
    lab.port = await lab.proxy.listen({ host: "127.0.0.1", port: 0 });
    return lab;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all(this.#machines.map((machine) => machine.die()));
  }

  /** Starts a program and makes it a machine, started unless `news` say otherwise. */
  async machine(machineId: string, serve: RequestListener | Server, news: LabNews = {}): Promise<LabMachine> {
    const server = typeof serve === "function" ? createServer(serve) : serve;
    const sockets: Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    const port = await listening(server, news.port ?? 0);
    const route = { ...labRoute(machineId, port, news.service), ...news.route };
    const machine = { server, route, sockets, die: () => die(server, sockets) };
    this.#machines.push(machine);
    this.routes.put(route);
    return machine;
  }

  /** One request on a connection of its own. */
  async fetch(path: string, options: LabRequest = {}): Promise<Answer> {
    const { method = "GET", headers = {}, body, host = "app.localhost" } = options;
    return new Promise((done, fail) => {
      const outgoing = request(
        { host: "127.0.0.1", port: this.port, method, path, agent: false, headers: { host, ...headers } },
        (answer) => void read(answer).then((text) => done(answered(answer, text)), fail),
      );
      outgoing.on("error", fail);
      outgoing.end(body);
    });
  }

  /** Bytes to the router as they are, and what comes back until it closes or `until` matches. */
  async raw(bytes: string | Buffer, until = /$^/): Promise<string> {
    const socket = connect(this.port, "127.0.0.1");
    socket.write(bytes);
    return heard(socket, until);
  }

  metric(name: string): number {
    const line = this.metrics
      .text()
      .split("\n")
      .find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }
}

export interface LabNews {
  readonly route?: Partial<Route>;
  readonly service?: Partial<Service>;
  readonly port?: number;
}

export interface LabRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly host?: string;
}

/** A started machine of the app "app" with autostop off. */
export function labRoute(machineId: string, port: number, service: Partial<Service> = {}): Route {
  const [defaults] = servicesOf({ services: [{ internal_port: port }] });
  return {
    ...{ machineId, appName: "app", hostId: "host-1", region: "here", state: "started", epoch: 1 },
    ...{ ipv4: "127.0.0.1", startId: "start-1", services: [{ ...defaults!, ...service }] },
    isCordoned: false,
  };
}

/** Everything a socket says until it closes or the text matches; then it is closed. */
export function heard(socket: Socket, until: RegExp): Promise<string> {
  return new Promise((done) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (until.test(text)) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => done(text));
  });
}

async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

async function die(server: Server, sockets: readonly Socket[]): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  for (const socket of sockets) socket.resetAndDestroy();
  await closed;
}

async function read(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function answered({ statusCode, headers }: IncomingMessage, body: string): Answer {
  return { status: statusCode!, headers, body };
}
