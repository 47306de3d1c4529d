import type { MachineExit } from "#contracts";
import { type ContainerRuntime, EXIT_CODE_UNKNOWN, type RuntimeContainer } from "#runtime";

/**
 * How a process that the log has as running has ended; undefined while it runs. Where not even a trace of it is left,
 * because the host lost its data, its exit code is unknown and the time of its end is `nowMs`.
 */
export async function endOf(
  containers: ContainerRuntime,
  { machineId, startId }: Pick<RuntimeContainer, "machineId" | "startId">,
  nowMs: number,
): Promise<MachineExit | undefined> {
  const exit = await containers.exitOf(machineId, startId);
  if (exit !== undefined || (await containers.knows(machineId, startId))) return exit;
  return lostAt(nowMs);
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
