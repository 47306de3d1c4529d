import { type MachineEvent, machineEvents, type RecordedEvent } from "#contracts";
import { currentLogs, type FleetView, findMachine, type HostLogView } from "#fleet";
import { hostNameOf, labelBefore } from "./host-name.ts";
import { type Route, routeOf, sameRoute } from "./route.ts";

const NO_ROUTES: ReadonlyMap<string, Route> = new Map();

/**
 * What routers route by, kept up to date from the fleet's fold: an event costs one look-up, a machine's birth and end
 * one per host. A table made anew from the view is always the same (I4).
 */
export class RouteTable {
  readonly #changed: (appName: string) => void;
  readonly #routes = new Map<string, Route>();
  readonly #byApp = new Map<string, Map<string, Route>>();
  #view: FleetView;
  #logs: ReadonlyMap<string, HostLogView> = new Map();
  #logCount = 0;

  /** `changed` is told of each app for which a request might be answered otherwise than before. */
  constructor(view: FleetView, changed: (appName: string) => void = () => undefined) {
    this.#changed = changed;
    this.#view = view;
    this.#followLogs();
  }

  /** The view that it is kept from. */
  get view(): FleetView {
    return this.#view;
  }

  /** Is kept from another view from now on. */
  replace(view: FleetView): void {
    this.#view = view;
    this.#followLogs();
  }

  /** Takes note of an event that its view includes, as the latest one. */
  apply(event: RecordedEvent): void {
    // The first event of a log: it may be the one that its host goes on in.
    if (this.#view.logs.size !== this.#logCount) {
      this.#followLogs();
    } else if (isMachineEvent(event)) {
      this.#follow(event.log, event.data.machineId);
    } else {
      this.#followControl(event);
    }
  }

  get(machineId: string): Route | undefined {
    return this.#routes.get(machineId);
  }

  /** An app's machines by id, in no order. */
  machinesOf(appName: string): ReadonlyMap<string, Route> {
    return this.#byApp.get(appName) ?? NO_ROUTES;
  }

  /** Apps that have machines, with these. */
  byApp(): ReadonlyMap<string, ReadonlyMap<string, Route>> {
    return this.#byApp;
  }

  all(): ReadonlyMap<string, Route> {
    return this.#routes;
  }

  /** Hosts that have told of themselves. */
  get hostIds(): Iterable<string> {
    return this.#logs.keys();
  }

  /**
   * The app that a `Host` header means: `<app>.<one of the router's domains>`, else an app's own hostname. Undefined for
   * a host that nobody has, and for what is no host name.
   */
  appOf(hostHeader: string | undefined, domains: readonly string[]): string | undefined {
    const name = hostNameOf(hostHeader);
    if (name === undefined) return undefined;
    const { apps, hostnames } = this.#view.control;
    const label = labelBefore(name, domains);
    // An app's name is its own, whoever claims it as a hostname.
    if (label !== undefined && apps.get(label)?.deleted === false) return label;
    const holder = hostnames.get(name);
    const app = holder && apps.get(holder.appName);
    return app?.deleted === false && app.id === holder?.appId ? app.name : undefined;
  }

  #followControl(event: RecordedEvent): void {
    switch (event.type) {
      case "HostRegistered":
        this.#followLogs();
        return;
      case "AppCreated":
      case "AppDeleted":
      case "HostnameClaimed":
      case "HostnameReleased":
        this.#changed(event.data.appName);
        return;
      case "PlacementDecided":
      case "PlacementRefused": {
        const { machineId, epoch } = event.data;
        if (epoch > (this.#routes.get(machineId)?.epoch ?? epoch)) this.#findAgain(machineId);
        return;
      }
    }
  }

  #follow(logId: string, machineId: string): void {
    const log = this.#view.logs.get(logId);
    // What a succeeded log still tells is included in its successor.
    if (log === undefined || this.#logs.get(log.hostId) !== log) return;
    const machine = log.host.machines.get(machineId);
    const before = this.#routes.get(machineId);
    const isOwner = before?.hostId === log.hostId && machine !== undefined && machine.epoch >= before.epoch;
    const route = isOwner ? routeOf(log.hostId, machine) : undefined;
    if (route === undefined) this.#findAgain(machineId);
    else this.#put(machineId, route);
  }

  /** Takes note of which log of each host counts. */
  #followLogs(): void {
    const before = this.#logs;
    this.#logs = currentLogs(this.#view);
    this.#logCount = this.#view.logs.size;
    for (const hostId of new Set([...before.keys(), ...this.#logs.keys()])) {
      const [old, now] = [before.get(hostId), this.#logs.get(hostId)];
      if (old === now) continue;
      const told = [...(old?.host.machines.keys() ?? []), ...(now?.host.machines.keys() ?? [])];
      for (const machineId of new Set(told)) this.#findAgain(machineId);
    }
  }

  #findAgain(machineId: string): void {
    const { machine, hostId } = findMachine(this.#view, machineId, this.#logs) ?? {};
    this.#put(machineId, machine && hostId !== undefined ? routeOf(hostId, machine) : undefined);
  }

  #put(machineId: string, route: Route | undefined): void {
    const before = this.#routes.get(machineId);
    if (before === route || (before !== undefined && route !== undefined && sameRoute(before, route))) return;
    if (before !== undefined) this.#remove(before);
    if (route !== undefined) this.#add(route);
    this.#changed((route ?? before)!.appName);
  }

  #add(route: Route): void {
    this.#routes.set(route.machineId, route);
    const ofApp = this.#byApp.get(route.appName);
    if (ofApp === undefined) this.#byApp.set(route.appName, new Map([[route.machineId, route]]));
    else ofApp.set(route.machineId, route);
  }

  #remove({ machineId, appName }: Route): void {
    this.#routes.delete(machineId);
    const ofApp = this.#byApp.get(appName);
    ofApp?.delete(machineId);
    if (ofApp?.size === 0) this.#byApp.delete(appName);
  }
}

function isMachineEvent(event: RecordedEvent): event is RecordedEvent<MachineEvent> {
  return event.type in machineEvents;
}
