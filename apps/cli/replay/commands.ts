import { type EventType, VOCABULARY } from "#contracts";
import { hostsWithHistory } from "#event-log";
import {
  findMachine,
  findVolume,
  fleetHash,
  fleetToJson,
  listHosts,
  listMachines,
  listSnapshots,
  listVolumes,
  replayLog,
  stateAt,
} from "#fleet";
import { hostToJson } from "#hosts";
import { formatPosition, RefusedError, refusal } from "#kernel";
import { isTerminal } from "#machines";
import type { CliContext, CommonFlags } from "../context.ts";
import { withHub } from "../hub.ts";
import { type Output, table } from "../output.ts";
import { eventLine } from "./event-line.ts";
import { parseMoment } from "./moment.ts";

export interface LogFlags extends CommonFlags {
  readonly machine?: string;
  readonly volume?: string;
  readonly host?: string;
  readonly app?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface AtFlags extends CommonFlags {
  readonly machine?: string;
  readonly volume?: string;
  readonly host?: string;
}

/** `drover replay log`. */
export async function log(context: CliContext, flags: LogFlags): Promise<void> {
  const output = context.output(flags);
  const nowMs = context.clock.nowMs();
  await withHub(context, flags, async (nc) => {
    const hosts = await hostsWithHistory(nc);
    const since = flags.since === undefined ? undefined : await parseMoment(nc, flags.since, nowMs);
    const until = flags.until === undefined ? undefined : await parseMoment(nc, flags.until, nowMs);
    const filter = {
      ...(flags.machine === undefined ? {} : { machineId: flags.machine }),
      ...(flags.volume === undefined ? {} : { volumeId: flags.volume }),
      ...(flags.host === undefined ? {} : { hostId: known("host", flags.host, hosts) }),
      ...(flags.app === undefined ? {} : { appName: flags.app }),
      ...(flags.type === undefined
        ? {}
        : { type: known("type", flags.type, VOCABULARY.types()) as EventType }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    };
    const onBad = (bad: string) => output.progress(`cannot be read: ${bad}`);
    for await (const event of replayLog(nc, filter, onBad)) output.line(event, eventLine(event));
  });
}

/** `drover replay at`. */
export async function at(context: CliContext, text: string, flags: AtFlags): Promise<void> {
  const output = context.output(flags);
  await withHub(context, flags, async (nc) => {
    const moment = await parseMoment(nc, text, context.clock.nowMs());
    const onBad = (bad: string) => output.progress(`cannot be read: ${bad}`);
    const scope = flags.host === undefined ? {} : { hostId: flags.host };
    const { view, position } = await stateAt(nc, moment, onBad, scope);
    const where = formatPosition(position);
    if (flags.machine !== undefined) {
      const found = findMachine(view, flags.machine);
      if (found === undefined)
        throw new RefusedError(refusal("not_found", `no machine ${flags.machine} at that moment`));
      return output.result({ position, ...found }, `${JSON.stringify(found, null, 2)}\nposition ${where}`);
    }
    if (flags.volume !== undefined) {
      const found = findVolume(view, flags.volume);
      if (found === undefined)
        throw new RefusedError(refusal("not_found", `no volume ${flags.volume} at that moment`));
      const snapshots = listSnapshots(view, flags.volume).map(({ snapshot }) => snapshot);
      const text = JSON.stringify({ ...found, snapshots }, null, 2);
      return output.result({ position, ...found, snapshots }, `${text}\nposition ${where}`);
    }
    if (flags.host !== undefined) {
      const host = listHosts(view).find(({ id }) => id === flags.host);
      if (host === undefined)
        throw new RefusedError(refusal("not_found", `no host ${flags.host} at that moment`));
      const json = hostToJson(host);
      return output.result({ position, host: json }, `${JSON.stringify(json, null, 2)}\nposition ${where}`);
    }
    return whole(output, view, position, where);
  });
}

function whole(
  output: Output,
  view: Awaited<ReturnType<typeof stateAt>>["view"],
  position: Record<string, number>,
  where: string,
): void {
  const hash = fleetHash(view);
  const machines = listMachines(view).filter(
    ({ machine }) => machine === undefined || !isTerminal(machine.state),
  );
  const rows = machines.map(({ machineId, appName, hostId, epoch, machine }) => [
    machineId,
    appName,
    machine?.name ?? "-",
    machine?.state ?? "placed",
    hostId ?? "-",
    String(epoch),
    machine?.operation?.kind ?? "",
  ]);
  const hosts = listHosts(view).map((host) => [
    host.id,
    host.logId,
    String(host.agentEpoch),
    String(host.reservations.size),
    `${host.capacity.cpuMillis}/${host.capacity.memoryMib}`,
  ]);
  const volumes = listVolumes(view).map(({ volumeId, appName, hostId, volume }) => [
    volumeId,
    appName,
    volume?.name ?? "-",
    volume?.state ?? "placed",
    hostId ?? "-",
    volume === undefined ? "-" : `${volume.sizeGb} GB`,
    volume?.attachedMachineId ?? "",
  ]);
  const text = [
    table(["HOST", "LOG", "AGENT EPOCH", "RESERVATIONS", "CPU MILLIS/MEMORY MIB"], hosts),
    table(["MACHINE", "APP", "NAME", "STATE", "HOST", "EPOCH", "OPERATION"], rows),
    ...(volumes.length > 0
      ? [table(["VOLUME", "APP", "NAME", "STATE", "HOST", "SIZE", "ATTACHED TO"], volumes)]
      : []),
    `position ${where}\nhash     ${hash}`,
  ].join("\n\n");
  output.result({ position, hash, state: fleetToJson(view) }, text);
}

/** Exact names only (F48): an empty answer to a typing error would look like nothing had happened. */
function known(what: string, value: string, all: readonly string[]): string {
  if (all.includes(value)) return value;
  throw new RefusedError(refusal("not_found", `no ${what} ${value}: there are ${all.join(", ")}`));
}
