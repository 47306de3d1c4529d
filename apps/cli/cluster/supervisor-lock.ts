import { statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { RefusedError, refusal } from "#kernel";
import { findBySocket, type ProcessIdentity } from "./process-table.ts";

/** Who may hold a data directory: whoever runs its services, and whoever ends them. */
type Role = "supervisor" | "end";

/**
 * One supervisor per data directory, and one `down`. A lock is an abstract unix socket named after the directory's
 * device and inode: the kernel takes it atomically and frees it with the process, however that ends.
 */
export class SupervisorLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Takes the lock. Throws a refusal that names the holder when another process has it. */
  static async take(dataDir: string, role: Role = "supervisor"): Promise<SupervisorLock> {
    const server = createServer((socket) => socket.destroy());
    try {
      await new Promise<void>((done, fail) => {
        server.once("error", fail);
        server.listen(`\0${lockName(dataDir, role)}`, done);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      throw new RefusedError(refusal("already_exists", held(dataDir)));
    }
    server.unref();
    return new SupervisorLock(server);
  }

  release(): void {
    this.#server.close();
  }
}

/** The supervisor that holds a data directory; undefined when none does. */
export function supervisorOf(dataDir: string): ProcessIdentity | undefined {
  return findBySocket(lockName(dataDir, "supervisor"));
}

function held(dataDir: string): string {
  const ending = findBySocket(lockName(dataDir, "end"));
  if (ending !== undefined)
    return `a \`drover down\` is at work on ${dataDir} (process ${ending.pid}): wait until it has ended`;
  const holder = supervisorOf(dataDir)?.pid ?? "of another user";
  return `a cluster runs on ${dataDir} already (supervisor ${holder}): use it, or end it with \`drover down\``;
}

function lockName(dataDir: string, role: Role): string {
  const { dev, ino } = statSync(dataDir);
  return `drover-${role}-${dev}-${ino}`;
}
