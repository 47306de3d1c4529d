import { statSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { RefusedError, refusal } from "#kernel";

/**
 * One supervisor per data directory. The lock is an abstract unix socket named after the directory's device and
 * inode: the kernel takes it atomically and frees it with the process, however that ends. Whoever connects is told
 * the supervisor's pid.
 */
export class SupervisorLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Takes the lock. Throws a refusal that names the holder when another supervisor runs. */
  static async take(dataDir: string): Promise<SupervisorLock> {
    const server = createServer((socket) => socket.end(`${process.pid}\n`));
    try {
      await new Promise<void>((done, fail) => {
        server.once("error", fail);
        server.listen(lockName(dataDir), done);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      const holder = await supervisorPid(dataDir);
      const message = `a cluster runs on ${dataDir} already (supervisor ${holder ?? "unknown"}): use it, or end it with \`drover down\``;
      throw new RefusedError(refusal("already_exists", message));
    }
    server.unref();
    return new SupervisorLock(server);
  }

  release(): void {
    this.#server.close();
  }
}

/** The pid of the supervisor that holds a data directory; undefined when none does. */
export async function supervisorPid(dataDir: string): Promise<number | undefined> {
  return new Promise((done) => {
    const socket = createConnection(lockName(dataDir));
    let text = "";
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", () => done(undefined));
    socket.on("close", () => done(Number.parseInt(text, 10) || undefined));
  });
}

function lockName(dataDir: string): string {
  const { dev, ino } = statSync(dataDir);
  return `\0drover-supervisor-${dev}-${ino}`;
}
