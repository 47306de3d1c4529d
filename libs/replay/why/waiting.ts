import { findHost, findMachine, findVolume } from "#fleet";
import type { Cordon } from "#hosts";
import { currentStep, delayBeforeAttemptMs, type OperationRun, type StepError, wallMsOf } from "#kernel";
import type { Entity, World } from "#timeline";
import type { Told } from "../blame-history.ts";
import { durationText, entityText, timeText } from "../phrases.ts";
import type { Waiting } from "./explanation.ts";
import { isPlacement } from "./placement-cause.ts";
import { refusalsReleasedBy, stepReleasedBy } from "./release.ts";

/** A moment, and what is known of somebody up to it. */
export interface Scene {
  readonly world: World;
  /** Epoch milliseconds: what is waited for since then. */
  readonly nowMs: number;
  /** The events of the one that is asked about, in causal order. */
  readonly told: readonly Told[];
}

/** What a machine or a volume waits for; nothing for one that rests. */
export function waitsOf(scene: Scene, entity: Entity): Waiting[] {
  const waits = entity.kind === "machine" ? machineWaits(scene, entity.id) : volumeWaits(scene, entity.id);
  return [...setAside(scene, entityText(entity.kind, entity.id, undefined)), ...waits];
}

function machineWaits(scene: Scene, machineId: string): Waiting[] {
  const found = findMachine(scene.world.view, machineId);
  if (found === undefined) return [];
  const { machine, hostId } = found;
  if (machine === undefined) return [...placeWaits(scene, `machine ${machineId}`, hostId)];
  const name = entityText("machine", machineId, machine.name);
  const waits: Waiting[] = [];
  if (machine.operation !== undefined) {
    waits.push(...operationWaits(scene, name, hostId, machine.operation, machineId));
  }
  if (machine.queued !== undefined) {
    waits.push({
      what: `a ${machine.queued.intent} of ${name} that was asked for`,
      sinceMs: lastMs(scene, (told) => told.event.type === "MachineIntentQueued") ?? machine.updatedAtMs,
      because: `its ${machine.operation?.kind ?? "operation"} has to end first`,
      releasedBy: `the end of operation ${machine.operation?.id ?? "under way"}: it is done then by itself`,
    });
  }
  if (machine.state === "failed") waits.push(failedWait(name, machine.updatedAtMs, machine.error, machineId));
  return waits;
}

function failedWait(name: string, sinceMs: number, error: StepError | undefined, machineId: string): Waiting {
  return {
    what: `${name}, which failed`,
    sinceMs,
    because: error === undefined ? "its last operation failed" : `${error.code}: ${error.message}`,
    releasedBy: `\`drover start ${machineId}\`, or the next request to it, once what failed is mended`,
  };
}

function volumeWaits(scene: Scene, volumeId: string): Waiting[] {
  const found = findVolume(scene.world.view, volumeId);
  if (found === undefined) return [];
  const { volume, hostId } = found;
  if (volume === undefined) return placeWaits(scene, `volume ${volumeId}`, hostId);
  const name = entityText("volume", volumeId, volume.name);
  return volume.operation === undefined ? [] : operationWaits(scene, name, hostId, volume.operation);
}

/** An operation waits for its step; where that should have ended long ago, for a host that says nothing. `machineId`: whose it is. */
export function operationWaits(
  { world, nowMs }: Pick<Scene, "world" | "nowMs">,
  name: string,
  hostId: string | undefined,
  run: OperationRun,
  machineId?: string,
): Waiting[] {
  const step = currentStep(run);
  if (step === undefined) return [];
  const { sinceMs, lastError } = run;
  const attempt = run.attempts === 0 ? "" : `, attempt ${run.attempts + 1}`;
  const error =
    lastError === undefined ? "" : `; the one before failed: ${lastError.code}: ${lastError.message}`;
  const pausedUntilMs = sinceMs + (run.attempts === 0 ? (step.delayMs ?? 0) : 0);
  const what = `the ${run.kind} of ${name}`;
  if (pausedUntilMs > nowMs) return [pauseWait(what, run, pausedUntilMs, machineId)];
  const wait: Waiting = {
    what,
    sinceMs,
    because: `step ${step.name}${attempt} has no outcome yet${error}`,
    releasedBy: stepReleasedBy(run, step, machineId),
  };
  const dueMs = sinceMs + delayBeforeAttemptMs(run) + step.timeoutMs + REPORT_SLACK_MS;
  const heardMs = hostId === undefined ? undefined : lastHeardMs(world, hostId);
  return dueMs >= nowMs || hostId === undefined ? [wait] : [wait, silence(hostId, heardMs ?? sinceMs, dueMs)];
}

/** A process that ends again and again is started less and less often. */
function pauseWait(what: string, { sinceMs }: OperationRun, untilMs: number, machineId?: string): Waiting {
  const stop = machineId === undefined ? "" : `; \`drover stop ${machineId}\` has it stay stopped`;
  return {
    what,
    sinceMs,
    because: `its restart policy has it pause for ${durationText(untilMs - sinceMs)}`,
    releasedBy: `${timeText(untilMs)}${stop}`,
  };
}

/** What an attempt may take beyond its timeout until its outcome stands in the log. */
const REPORT_SLACK_MS = 10_000;

function silence(hostId: string, sinceMs: number, dueMs: number): Waiting {
  return {
    what: `a word of host ${hostId}`,
    sinceMs,
    because: `that step had to have an outcome by ${timeText(dueMs)}, and the host has told of none: its agent is down, or cut off from the hub`,
    releasedBy: `${hostId} running and connected again: it goes on at this step by itself (\`drover status\` shows its agent)`,
  };
}

/** Wall time of a host's latest event that is known, as far as its machines tell. */
function lastHeardMs({ view }: World, hostId: string): number | undefined {
  const host = findHost(view, hostId);
  if (host === undefined) return undefined;
  const times = [...host.machines.values()].map(({ updatedAtMs }) => updatedAtMs);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** What is not on its host yet, or on none. */
function placeWaits({ told, world, nowMs }: Scene, name: string, hostId: string | undefined): Waiting[] {
  const decided = told.findLast(({ event }) => isPlacement(event))?.event;
  if (decided === undefined || !isPlacement(decided)) return [];
  const sinceMs = wallMsOf(decided.header.clock);
  if (hostId !== undefined) {
    return [
      {
        what: `${name}, placed on ${hostId}`,
        sinceMs,
        because: `${hostId} has not confirmed it${reservationText(told, nowMs)}`,
        releasedBy: `the same create again, with its Idempotency-Key: it is committed to ${hostId} as soon as that answers${cordonText(world, hostId)}`,
      },
    ];
  }
  const reasons = decided.data.refusals.map(
    ({ hostId: host, code, message }) => `${host}: ${code}: ${message}`,
  );
  const error = "error" in decided.data ? decided.data.error.message : "";
  const releases = refusalsReleasedBy(decided.data.refusals);
  return [
    {
      what: `a host for ${name}`,
      sinceMs,
      because: reasons.length === 0 ? error : reasons.join("; "),
      releasedBy: `${releases.length === 0 ? "a host that has room" : releases.join("; ")}; then the same create again`,
    },
  ];
}

function reservationText(told: readonly Told[], nowMs: number): string {
  const made = told.findLast(({ event }) => event.type === "ReservationMade")?.event;
  if (made?.type !== "ReservationMade") return "";
  const endsMs = wallMsOf(made.header.clock) + made.data.ttlMs;
  const end = endsMs < nowMs ? "ended" : "ends";
  return `; its reservation ${made.data.reservationId} there ${end} at ${timeText(endsMs)}`;
}

function cordonText(world: World, hostId: string): string {
  const cordon = findHost(world.view, hostId)?.cordon;
  if (cordon === undefined) return "";
  return `; it is cordoned by ${cordon.owner} until ${timeText(cordon.expiresAtMs)} (\`drover uncordon ${hostId}\`)`;
}

/** Events that were set aside: nothing is decided on what lacks one (I10). */
function setAside({ told }: Scene, name: string): Waiting[] {
  const bad = told.find(({ unfolded }) => unfolded !== undefined);
  if (bad === undefined) return [];
  const { event, unfolded } = bad;
  return [
    {
      what: `every command to ${name}: it is in quarantine`,
      sinceMs: wallMsOf(event.header.clock),
      because: `event ${event.header.id} (${event.log}:${event.sequence}) cannot be folded: ${unfolded}`,
      releasedBy: "an agent that can fold that event: all else of its host goes on meanwhile",
    },
  ];
}

function lastMs({ told }: Scene, is: (told: Told) => boolean): number | undefined {
  const clock = told.findLast(is)?.event.header.clock;
  return clock === undefined ? undefined : wallMsOf(clock);
}

/** What a host takes nothing new for, and what goes on there. */
export function hostWaits(scene: Scene, hostId: string): Waiting[] {
  const host = findHost(scene.world.view, hostId);
  if (host === undefined) return [];
  const waits: Waiting[] = cordonWaits(scene, hostId, host.cordon);
  for (const { id, ttlMs, machineId, volumeId } of host.reservations.values()) {
    waits.push({
      what: `reservation ${id} for ${machineId === undefined ? `volume ${volumeId}` : `machine ${machineId}`}`,
      sinceMs:
        lastMs(scene, ({ event }) => event.type === "ReservationMade" && event.data.reservationId === id) ??
        scene.nowMs,
      because: "it is neither committed nor given back",
      releasedBy: `its commit, or ${durationText(ttlMs)} after it was made its end by itself`,
    });
  }
  for (const machine of host.machines.values()) {
    if (machine.operation === undefined) continue;
    const name = entityText("machine", machine.id, machine.name);
    waits.push(...operationWaits(scene, name, hostId, machine.operation, machine.id));
  }
  for (const volume of host.volumes.values()) {
    if (volume.operation === undefined) continue;
    waits.push(
      ...operationWaits(scene, entityText("volume", volume.id, volume.name), hostId, volume.operation),
    );
  }
  // One host's silence is told once.
  return waits.filter(({ what }, index) => waits.findIndex((other) => other.what === what) === index);
}

function cordonWaits(scene: Scene, hostId: string, cordon: Cordon | undefined): Waiting[] {
  if (cordon === undefined || cordon.expiresAtMs <= scene.nowMs) return [];
  const { owner, reason, expiresAtMs } = cordon;
  return [
    {
      what: `whatever is to be placed on ${hostId}`,
      sinceMs: lastMs(scene, ({ event }) => event.type === "HostCordoned") ?? scene.nowMs,
      because: `${owner} cordoned it: ${reason}`,
      releasedBy: `\`drover uncordon ${hostId}\`, or ${timeText(expiresAtMs)}`,
    },
  ];
}
