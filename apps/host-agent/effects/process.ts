import { TerminalError } from "#kernel";
import { type Machine } from "#machines";
import type { ImageConfig, LaunchSpec } from "#runtime";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What runs in the machine: the image's word, unless the machine's config says otherwise. Pure. */
export function processOf(machine: Machine, hostId: string, image: ImageConfig): LaunchSpec["process"] {
  const { config } = machine;
  return {
    args: argsOf(machine, image),
    env: { PATH, ...image.env, ...config.env, ...platformEnv(machine, hostId) },
    cwd: config.workdir ?? image.workingDir,
    user: config.user ?? image.user,
    tty: config.init?.tty ?? false,
  };
}

/**
 * `exec` stands for the whole command line. Else the entrypoint, then the cmd; as with Docker, an entrypoint of the
 * machine's own does not get the arguments that the image meant for its own.
 */
function argsOf({ id, config }: Machine, image: ImageConfig): readonly string[] {
  const { exec, entrypoint, cmd } = config.init ?? {};
  if (exec) return atLeastOne(id, exec);
  const defaultCmd = entrypoint ? [] : image.cmd;
  return atLeastOne(id, [...(entrypoint ?? image.entrypoint), ...(cmd ?? defaultCmd)]);
}

function atLeastOne(machineId: string, args: readonly string[]): readonly string[] {
  if (args.length > 0) return args;
  const message = `machine ${machineId} has nothing to run: its image names no command, set init.cmd`;
  throw new TerminalError("launch_failed", message);
}

/** What a program learns about where it runs (features §5, and its host). Nobody else may set these. */
function platformEnv(machine: Machine, hostId: string): Record<string, string> {
  const group = machine.config.metadata?.fly_process_group;
  return {
    FLY_APP_NAME: machine.appName,
    FLY_MACHINE_ID: machine.id,
    FLY_ALLOC_ID: machine.id,
    FLY_REGION: machine.region,
    FLY_PRIVATE_IP: machine.privateIp,
    FLY_IMAGE_REF: machine.config.image,
    FLY_MACHINE_VERSION: machine.instanceId,
    FLY_VM_MEMORY_MB: String(machine.resources.memoryMib),
    DROVER_HOST: hostId,
    ...(group === undefined ? {} : { FLY_PROCESS_GROUP: group }),
  };
}
