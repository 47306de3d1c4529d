import { findMachine, findVolume, fleetHash, fleetToJson, listHosts, listSnapshots } from "#fleet";
import { type Host, hostToJson } from "#hosts";
import { formatPosition, RefusedError, refusal } from "#kernel";
import { oneNamed } from "#replay";
import type { World } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import type { Output } from "../output.ts";
import { parseMoment } from "./moment.ts";
import { withTimeline } from "./open-timeline.ts";
import { reservationsOf, routesOf, runsOf, worldText } from "./world-text.ts";

export interface AtFlags extends CommonFlags {
  readonly machine?: string;
  readonly volume?: string;
  readonly host?: string;
  readonly app?: string;
}

/** `drover replay at`. */
export async function at(context: CliContext, text: string, flags: AtFlags): Promise<void> {
  const output = context.output(flags);
  await withTimeline(context, flags, output, async ({ timeline }) => {
    const world = await timeline.at(await parseMoment(timeline, text, context.clock.nowMs()));
    const { machine, volume, host, app } = flags;
    if (machine !== undefined) showOne(output, world, machineAt(world, machine));
    else if (volume !== undefined) showOne(output, world, volumeAt(world, volume));
    else if (host !== undefined) showOne(output, world, hostAt(world, host));
    else showWorld(output, world, app);
  });
}

function machineAt(world: World, text: string): object {
  const { view, routes } = world;
  const { id } = oneNamed(world, text, ["machine"]);
  const found = findMachine(view, id) ?? missing("machine", id);
  const route = routes.get(id);
  return { ...found, ...(route === undefined ? {} : { route }) };
}

function volumeAt(world: World, text: string): object {
  const { view } = world;
  const { id } = oneNamed(world, text, ["volume"]);
  const found = findVolume(view, id) ?? missing("volume", id);
  return { ...found, snapshots: listSnapshots(view, id).map(({ snapshot }) => snapshot) };
}

function hostAt({ view }: World, id: string): object {
  const host: Host = listHosts(view).find((each) => each.id === id) ?? missing("host", id);
  return { host: hostToJson(host) };
}

function missing(what: string, id: string): never {
  throw new RefusedError(refusal("not_found", `no ${what} ${id} at that moment`));
}

function showOne(output: Output, { position }: World, found: object): void {
  const text = `${JSON.stringify(found, null, 2)}\nposition ${formatPosition(position)}`;
  output.result({ position, ...found }, text);
}

/** The hash is that of everything, also where one app is shown. */
function showWorld(output: Output, world: World, app: string | undefined): void {
  const { view, position, nowMs } = world;
  if (app !== undefined && !view.control.apps.has(app)) missing("app", app);
  const hash = fleetHash(view);
  const shown = {
    routes: routesOf(world, app),
    operations: runsOf(world, app),
    reservations: reservationsOf(world, app),
  };
  const state = app === undefined ? { state: fleetToJson(view) } : { app: view.control.apps.get(app) };
  const value = { position, hash, atMs: nowMs, ...state, ...shown };
  output.result(value, `${worldText(world, app)}\n\nposition ${formatPosition(position)}\nhash     ${hash}`);
}
