import { spawn } from "node:child_process";
import { constants, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { relative } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FaultPoint } from "../fault-point.ts";
import { LOG_SEGMENT_BYTES } from "../logs/log-segments.ts";
import { findProgram } from "./choose-runtime.ts";
import type { OciRuntime } from "./oci-runtime.ts";

/** What a monitor is told. Paths are absolute. */
export interface MonitorOrder {
  readonly containerId: string;
  readonly bundle: string;
  readonly runtime: OciRuntime;
  readonly logPath: string;
  readonly exitFolder: string;
  readonly socketFolder: string;
  readonly tty: boolean;
  readonly faultPoint: FaultPoint;
  /** Files that make a process a member of the control groups where monitors live. */
  readonly shelter: readonly string[];
}

/** Where a monitor writes its pid, in the bundle. */
export const MONITOR_PID_FILE = "conmon.pid";
const PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin";
/** A FIFO of conmon's: it has both ends open for as long as it lives. */
const LIFELINE = "winsz";

/** The runtime could not create the container; the message is what it said. */
export class CreateError extends Error {}

/**
 * Starts conmon, which has the runtime create the container and then stays beside it: it keeps the log and writes
 * the exit file, whatever becomes of us (I5). It has a session of its own and, before it does anything, moves to
 * control groups of its own, so that whoever stops our service leaves it alone. It comes up while the bundle is being
 * written. Resolves when the container is created, its process not yet begun. Throws `CreateError`.
 */
export async function startMonitor(
  order: MonitorOrder,
  bundleWritten: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(conmon(), conmonArguments(order), {
    cwd: order.bundle,
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    // Its options are read in the locale's encoding: in none it ends on a path that is not ASCII.
    env: { PATH: PROGRAMS, LC_ALL: "C.UTF-8", _OCI_SYNCPIPE: "3", _OCI_STARTPIPE: "4" },
  });
  const report = child.stdio[3] as Readable;
  const start = child.stdio[4] as Writable;
  // Listened to from now on: what a monitor that ends at once has said is lost to whoever comes later.
  const reported = reportOf(report, child.stderr!, signal);
  reported.catch(() => {}); // it is waited for below
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => {}); // it is waited for below
  start.on("error", () => {}); // it died: its report says so
  try {
    const sheltered = takeShelter(child.pid, order.shelter);
    await order.faultPoint("monitor spawned");
    await bundleWritten.catch((error) => {
      child.kill("SIGKILL"); // it waits for its go, or for our end
      throw error;
    });
    await sheltered;
    await order.faultPoint("bundle written");
    start.end("go");
    await order.faultPoint("monitor told");
    const said = await Promise.race([failed, reported]);
    if (said.pid <= 0) throw new CreateError(plainly(said.message));
  } finally {
    for (const stream of [report, start, child.stderr!]) stream.destroy();
    child.unref();
  }
}

/** Calls `onDeath` once the monitor of that bundle is dead. Returns what ends the watch. */
export function watchMonitor(bundle: string, onDeath: () => void): () => void {
  let watching = true;
  const died = () => {
    if (watching) onDeath();
    watching = false;
  };
  try {
    const fd = openSync(`${bundle}/${LIFELINE}`, constants.O_RDONLY | constants.O_NONBLOCK);
    const lifeline = new Socket({ fd, readable: true, writable: false });
    lifeline.on("close", died).on("error", () => {});
    lifeline.resume().unref();
    return () => {
      watching = false;
      lifeline.destroy();
    };
  } catch {
    setImmediate(died); // it never got so far
    return () => {
      watching = false;
    };
  }
}

/** The runtime's last complaint without the dress of its log: `exec: "/nothing": no such file or directory`. */
export function plainly(message: string): string {
  const quoted = [...message.matchAll(/msg=("(?:[^"\\]|\\.)*")/g)].at(-1)?.[1];
  const text = quoted === undefined ? message : (JSON.parse(quoted) as string);
  return text.replace(/^.*unable to start container process: /, "").trim();
}

function conmon(): string {
  const program = findProgram("conmon");
  if (program === undefined) throw new Error("conmon is missing: run ./drover once, it brings it");
  return program;
}

function conmonArguments(order: MonitorOrder): string[] {
  const { containerId, bundle, runtime } = order;
  return [
    ...["--cid", containerId, "--cuuid", containerId, "--name", containerId, "--bundle", bundle],
    ...["--runtime", runtime.binary, "--runtime-arg", "--root", "--runtime-arg", runtime.root],
    // From the bundle, where it stands: an absolute path may hold a colon, and conmon takes what is before it for all.
    ...["--log-path", `k8s-file:${relative(bundle, order.logPath)}`],
    ...["--log-size-max", String(LOG_SEGMENT_BYTES)],
    ...["--exit-dir", order.exitFolder],
    ...["--socket-dir-path", order.socketFolder, "--container-pidfile", `${bundle}/container.pid`],
    ...["--conmon-pidfile", `${bundle}/${MONITOR_PID_FILE}`, "--log-level", "error", "--no-sync-log"],
    ...(order.tty ? ["--terminal"] : []),
  ];
}

async function takeShelter(pid: number | undefined, files: readonly string[]): Promise<void> {
  if (pid === undefined) return;
  // A host that forbids it still runs machines; only its service manager may take them down with us.
  await Promise.all(files.map((file) => writeFile(file, String(pid)).catch(() => {})));
}

/** Reads conmon's one line about the container: its pid, or -1 and why. */
async function reportOf(report: Readable, stderr: Readable, signal: AbortSignal): Promise<Report> {
  let complaints = "";
  stderr.on("data", (chunk) => {
    complaints = (complaints + chunk).slice(-2000);
  });
  report.on("error", () => {}); // it died: the line is missing
  const lines = createInterface({ input: report, signal });
  for await (const line of lines) {
    lines.close();
    const { pid, data, message } = JSON.parse(line) as { pid?: number; data?: number; message?: string };
    return { pid: pid ?? data ?? -1, message: message ?? complaints };
  }
  signal.throwIfAborted();
  return { pid: -1, message: `the monitor ended: ${complaints.trim() || "it said nothing"}` };
}

interface Report {
  readonly pid: number;
  readonly message: string;
}
