import { fleetHash, listHosts, listMachines, listVolumes } from "#fleet";
import { formatPosition } from "#kernel";
import { isTerminal } from "#machines";
import { type Archive, ArchiveHistory } from "#replay";
import { Timeline, type World } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { harmless, table } from "../output.ts";
import { absolute } from "../settings.ts";

export type ImportFlags = Omit<CommonFlags, "data">;

/** `drover replay import`. */
export async function importFile(context: CliContext, file: string, flags: ImportFlags): Promise<void> {
  const output = context.output(flags);
  const unfolded: string[] = [];
  const onUnreadable = (place: string, reason: string) => {
    if (unfolded.length < MOST_UNFOLDED) unfolded.push(`${place} ${reason}`);
  };
  const history = await ArchiveHistory.open(absolute(file, "<file>"), () => undefined);
  const world = await new Timeline({ history, onUnreadable }).at({ kind: "now" });
  const { archive } = history;
  const value = { ...summaryOf(archive, world), unfolded };
  output.result(value, summaryText(file, archive, value));
}

const MOST_UNFOLDED = 1_000;

function summaryOf({ header, events, firstMs, lastMs, unreadable, sha256, base }: Archive, world: World) {
  const { view, position } = world;
  const machines = listMachines(view);
  const alive = machines.filter(({ machine }) => machine === undefined || !isTerminal(machine.state));
  return {
    of: header.of,
    events,
    firstMs,
    lastMs,
    beginsWithState: base !== undefined,
    redacted: header.redacted,
    isPart: header.isPart === true,
    ...(header.shows === undefined ? {} : { shows: header.shows }),
    logs: Object.entries(position).map(([log, sequence]) => ({
      log,
      hostId: view.logs.get(log)?.hostId,
      after: header.after[log] ?? 0,
      end: sequence,
    })),
    hosts: listHosts(view).length,
    machines: { all: machines.length, alive: alive.length },
    volumes: listVolumes(view).length,
    position: { ...position },
    hash: fleetHash(view),
    unreadable,
    sha256,
  };
}

function summaryText(
  file: string,
  archive: Archive,
  summary: ReturnType<typeof summaryOf> & { readonly unfolded: readonly string[] },
): string {
  const { events, firstMs, lastMs, hosts, machines, volumes, hash, position, redacted } = summary;
  const span =
    events === 0 ? "" : `, ${new Date(firstMs).toISOString()} to ${new Date(lastMs).toISOString()}`;
  const rows = summary.logs.map(({ log, hostId, after, end }) => [
    log,
    hostId ?? "CONTROL",
    after === 0 ? "its beginning" : `after ${after}`,
    String(end),
  ]);
  const set = [
    ...archive.unreadable.map(({ line, reason }) => `line ${line} cannot be read: ${reason}`),
    ...summary.unfolded.map((one) => `cannot be folded: ${one}`),
  ];
  return [
    `${archive.header.of}`,
    `${events.toLocaleString("en")} events${span}`,
    ...(summary.isPart ? ["a part: events were left out on purpose"] : []),
    redacted === null ? "not redacted: secrets stand in it as they are" : `${redacted} secrets were replaced`,
    "",
    table(["LOG", "OF", "FROM", "TO"], rows),
    "",
    `${hosts} hosts, ${machines.alive} machines (${machines.all} with those that are gone), ${volumes} volumes`,
    ...set.slice(0, 20).map(harmless),
    ...(set.length > 20 ? [`and ${set.length - 20} more that cannot be read`] : []),
    `position ${formatPosition(position)}`,
    `hash     ${hash}`,
    "",
    `Go on with:  drover replay log --from ${file}`,
    `             drover replay verify --from ${file}`,
  ]
    .map((line) => line.split("\n").map(harmless).join("\n"))
    .join("\n");
}
