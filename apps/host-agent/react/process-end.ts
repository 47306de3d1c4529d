import type { MachineExit } from "#contracts";
import { type ContainerRuntime, EXIT_CODE_UNKNOWN, type RuntimeContainer } from "#runtime";

type Process = Pick<RuntimeContainer, "machineId" | "startId">;

/**
 * How a process that the log has as running has ended; undefined while it runs. Where nobody was left to see how it
 * ended, because the host went down under it, its exit code is unknown and the time of its end is `nowMs`.
 */
export async function endOf(
  containers: ContainerRuntime,
  process: Process,
  nowMs: number,
): Promise<MachineExit | undefined> {
  const { machineId, startId } = process;
  const exit = await containers.exitOf(machineId, startId);
  if (exit !== undefined || (await runs(containers, process))) return exit;
  // It may have ended between the two questions.
  return (await containers.exitOf(machineId, startId)) ?? lostAt(nowMs);
}

async function runs(containers: ContainerRuntime, { machineId, startId }: Process): Promise<boolean> {
  const found = await containers.list();
  return found.some(
    (each) => each.machineId === machineId && each.startId === startId && each.state === "running",
  );
}

function lostAt(nowMs: number): MachineExit {
  return {
    exit_code: EXIT_CODE_UNKNOWN,
    guest_signal: 0,
    oom_killed: false,
    requested_stop: false,
    exited_at_ms: nowMs,
  };
}
