import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { ensureApp } from "../ensure-app.ts";
import { age, harmless, table } from "../output.ts";
import { wholeNumber } from "../settings.ts";
import {
  findVolume,
  listSnapshots,
  listVolumes,
  type SnapshotRecord,
  type VolumeRecord,
  volumePath,
  volumesPath,
} from "../volume-record.ts";

interface CreateFlags extends CommonFlags {
  readonly app: string;
  readonly size: string;
  readonly region?: string;
  readonly retention?: string;
  readonly backup: boolean;
}

interface MadeOfFlags extends CommonFlags {
  readonly name?: string;
  readonly size?: string;
}

const MAX_GB = 500;
const MIB = 1024 ** 2;
const DESTROY_POLL_MS = 200;
const DESTROY_PATIENCE_MS = 60_000;

/** `volumes …`: where machines keep what outlives them. */
export function registerVolumes(program: Command, context: CliContext): void {
  const volumes = program
    .command("volumes")
    .summary("where machines keep what outlives them: list, make, extend, keep, restore, fork")
    .addHelpText("after", "\nExample:\n  $ drover volumes create data --app web --size 1\n");
  common(volumes.command("list", { isDefault: true }), "list volumes", "volumes list --app web")
    .option("--app <name>", "volumes of this app only")
    .action(async (flags: CommonFlags & { app?: string }) => {
      const found = await listVolumes(await context.api(flags), flags.app);
      context.output(flags).result(found, volumesTable(found, context.clock.nowMs()));
    });
  common(volumes.command("show"), "show a volume, and how full it is", "volumes show data")
    .argument("<volume>", "id, name, or app/name")
    .action(async (key: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      const volume = await api.get<VolumeRecord>(volumePath(await findVolume(api, key)), "drover");
      context.output(flags).result(volume, describe(volume));
    });
  registerCreate(volumes, context);
  registerFork(volumes, context);
  registerChanges(volumes, context);
  registerSnapshots(volumes, context);
}

function registerCreate(volumes: Command, context: CliContext): void {
  common(
    volumes.command("create"),
    "make a volume, and its app where there is none",
    "volumes create data --app web --size 1",
  )
    .argument("<name>", "lower-case letters, digits and _")
    .option("--app <name>", "the app it belongs to", "default")
    .option("--size <GB>", "1 to 500; it is a hard limit", "1")
    .option(
      "--region <names>",
      "where: one region, or several as in ams,fra,any (default: the cluster's own)",
    )
    .option("--retention <days>", "how long its snapshots are kept (default: 5)")
    .option("--no-backup", "no snapshot each day")
    .action(async (name: string, flags: CreateFlags) => {
      const body = {
        name,
        size_gb: wholeNumber(flags.size, "--size", 1, MAX_GB),
        auto_backup_enabled: flags.backup,
        ...(flags.region === undefined ? {} : { region: flags.region }),
        ...(flags.retention === undefined
          ? {}
          : { snapshot_retention: wholeNumber(flags.retention, "--retention", 1, 60) }),
      };
      await ensureApp(await context.api(flags), flags.app);
      await make(context, flags, flags.app, body);
    });
  common(
    volumes.command("restore"),
    "make a volume that begins with what a snapshot holds, on the same host",
    "volumes restore vs_0123456789abcdef --name data2",
  )
    .argument("<snapshot>", "its whole id")
    .option("--name <name>", "its name (default: that of the snapshot's volume)")
    .option("--size <GB>", "no less than the snapshot's volume had (default: as much)")
    .action(async (snapshotId: string, flags: MadeOfFlags) => {
      const found = await listSnapshots(await context.api(flags));
      const snapshot = found.find(({ id }) => id === snapshotId);
      if (snapshot === undefined) {
        const message = `no snapshot ${snapshotId}: see \`drover volumes snapshots\``;
        throw new RefusedError(refusal("not_found", message));
      }
      const { app, volume_name: name } = snapshot.drover;
      await make(context, flags, app, {
        ...{ name: flags.name ?? name, snapshot_id: snapshotId, ...sizeIn(flags) },
      });
    });
}

function registerFork(volumes: Command, context: CliContext): void {
  common(
    volumes.command("fork"),
    "make a volume that begins with what another holds, on the same host",
    "volumes fork data --name data2",
  )
    .argument("<volume>", "id, name, or app/name")
    .option("--name <name>", "its name (default: as the other's)")
    .option("--size <GB>", "no less than the other has (default: as much)")
    .action(async (key: string, flags: MadeOfFlags) => {
      const { id, name, drover } = await findVolume(await context.api(flags), key);
      await make(context, flags, drover.app, {
        ...{ name: flags.name ?? name, source_volume_id: id, ...sizeIn(flags) },
      });
    });
}

function sizeIn({ size }: MadeOfFlags) {
  return size === undefined ? {} : { size_gb: wholeNumber(size, "--size", 1, MAX_GB) };
}

async function make(context: CliContext, flags: CommonFlags, app: string, body: object): Promise<void> {
  const api = await context.api(flags);
  const output = context.output(flags);
  const once = { "idempotency-key": context.ids.ulid() };
  const volume = await api.create<VolumeRecord>(volumesPath(app), "drover", body, once);
  output.progress(`${volume.name} (${volume.id}) is on ${volume.drover.host}: ${volume.state}`);
  output.result(volume, volume.id);
}

function registerChanges(volumes: Command, context: CliContext): void {
  common(
    volumes.command("extend"),
    "make a volume larger, also while it is used",
    "volumes extend data --size 2",
  )
    .argument("<volume>", "id, name, or app/name")
    .requiredOption("--size <GB>", "how large it shall be; it never shrinks")
    .action(async (key: string, flags: CommonFlags & { size: string }) => {
      const size_gb = wholeNumber(flags.size, "--size", 1, MAX_GB);
      const api = await context.api(flags);
      const path = `${volumePath(await findVolume(api, key))}/extend`;
      const { volume } = await api.put<{ volume: VolumeRecord }>(path, "volume", { size_gb });
      context.output(flags).result(volume, `${volume.name} (${volume.id}) has ${volume.size_gb} GB`);
    });
  common(
    volumes.command("destroy"),
    "destroy a volume; its snapshots stay for their time",
    "volumes destroy data",
  )
    .argument("<volume>", "id, name, or app/name")
    .option("--no-wait", "return as soon as the host has accepted it")
    .action(async (key: string, flags: CommonFlags & { wait: boolean }) => {
      const api = await context.api(flags);
      const volume = await findVolume(api, key);
      await api.delete(volumePath(volume));
      const state = flags.wait ? await awaitGone(context, api, volume) : "pending_destroy";
      const output = context.output(flags);
      output.progress(`${volume.name} (${volume.id}): ${state}`);
      output.result({ id: volume.id, name: volume.name, state }, volume.id);
    });
}

/** The Machines API has nothing to wait for volumes with. */
async function awaitGone({ clock }: CliContext, api: ApiClient, volume: VolumeRecord): Promise<string> {
  const untilMs = clock.monotonicMs() + DESTROY_PATIENCE_MS;
  for (;;) {
    const { state, drover } = await api.get<VolumeRecord>(volumePath(volume), "drover");
    if (state === "destroyed") return state;
    if (clock.monotonicMs() > untilMs) {
      const why = drover.waiting_for?.last_error?.message ?? "its host is at it";
      throw new RefusedError(refusal("deadline_exceeded", `${volume.id} is ${state}: ${why}`));
    }
    await clock.sleep(DESTROY_POLL_MS);
  }
}

function registerSnapshots(volumes: Command, context: CliContext): void {
  common(volumes.command("snapshot"), "keep what a volume holds at this moment", "volumes snapshot data")
    .argument("<volume>", "id, name, or app/name")
    .action(async (key: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      const path = `${volumePath(await findVolume(api, key))}/snapshots`;
      const snapshot = await api.create<SnapshotRecord>(path, "id", {});
      context.output(flags).result(snapshot, snapshot.id);
    });
  common(
    volumes.command("snapshots"),
    "list snapshots, also of volumes that are gone",
    "volumes snapshots data",
  )
    .argument("[volume]", "id or name of the volume")
    .action(async (key: string | undefined, flags: CommonFlags) => {
      const api = await context.api(flags);
      const all = await listSnapshots(api);
      const found = all.filter(
        ({ drover }) => key === undefined || drover.volume === key || drover.volume_name === key,
      );
      if (key !== undefined && found.length === 0) await findVolume(api, key);
      context.output(flags).result(found, snapshotsTable(found, context.clock.nowMs()));
    });
}

function common(command: Command, summary: string, example: string): Command {
  return command
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", `\nExample:\n  $ drover ${example}\n`);
}

function volumesTable(volumes: readonly VolumeRecord[], nowMs: number): string {
  if (volumes.length === 0) return "no volumes yet: `drover volumes create NAME` makes one";
  const rows = volumes.map((volume) => [
    volume.id,
    volume.drover.app,
    volume.name,
    volume.state,
    `${volume.size_gb} GB`,
    volume.drover.host,
    volume.attached_machine_id ?? "-",
    age(Date.parse(volume.created_at), nowMs),
    remark(volume),
  ]);
  return table(["ID", "APP", "NAME", "STATE", "SIZE", "HOST", "MACHINE", "AGE", ""], rows);
}

function snapshotsTable(snapshots: readonly SnapshotRecord[], nowMs: number): string {
  if (snapshots.length === 0) return "no snapshots yet: `drover volumes snapshot VOLUME` takes one";
  const rows = snapshots.map((snapshot) => [
    snapshot.id,
    snapshot.drover.app,
    snapshot.drover.volume_name,
    snapshot.drover.volume,
    snapshot.status,
    `${Math.ceil(snapshot.size / MIB)} MiB`,
    snapshot.drover.origin,
    age(Date.parse(snapshot.created_at), nowMs),
    `${snapshot.retention_days} days`,
  ]);
  return table(["ID", "APP", "NAME", "VOLUME", "STATE", "SIZE", "BY", "AGE", "KEPT FOR"], rows);
}

function describe(volume: VolumeRecord): string {
  const { bytes_used: used, bytes_total: total } = volume;
  const lines: [string, string][] = [
    ["id", volume.id],
    ["app", volume.drover.app],
    ["name", volume.name],
    ["state", volume.state],
    ["why", remark(volume)],
    ["host", `${volume.drover.host} (region ${volume.region}, ${volume.host_status})`],
    ["size", `${volume.size_gb} GB, on ${volume.fstype || "nothing yet"}`],
    [
      "used",
      used === undefined || total === undefined
        ? "not known"
        : `${Math.ceil(used / MIB)} of ${total / MIB} MiB`,
    ],
    ["machine", volume.attached_machine_id ?? "none"],
    ["backup", volume.auto_backup_enabled ? `each day, kept for ${volume.snapshot_retention} days` : "none"],
    ["created", volume.created_at],
  ];
  return lines
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(9)}${harmless(value)}`)
    .join("\n");
}

/** Why it is as it is, in a few words. */
function remark({ drover }: VolumeRecord): string {
  const { waiting_for: waiting, error } = drover;
  if (waiting !== undefined) return waiting.last_error?.message ?? waiting.operation;
  return error?.message ?? "";
}
