import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { type Child, startChild } from "./child.ts";
import { freePort } from "./nats-server.ts";

/** A real Postgres under test. */
export interface Postgres {
  /** With a user who may do everything, and no password. */
  readonly url: string;
  readonly pid: number;
  /** SIGKILL to the server: its processes end without a word. */
  kill(): Promise<void>;
  /** Runs a statement, as somebody else may. */
  sql(statement: string): Promise<void>;
  /** Stops it where it stands, or lets it go on: it is there, and says nothing. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port and the same files; kills it first where it still runs. */
  restart(): Promise<void>;
  /** Kills it and removes its files. */
  stop(): Promise<void>;
}

/** Postgres refuses to run as root. */
const NOBODY = 65_534;
/** Durability is not the point, and the disk is shared. */
const SETTINGS = [
  "fsync=off",
  "unix_socket_directories=",
  "listen_addresses=127.0.0.1",
  "shared_buffers=16MB",
];

/** Starts a server of its own in a new folder, as a user without rights. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), "drover-postgres-"));
  const port = await freePort();
  try {
    await chown(folder, NOBODY, NOBODY);
    const made = [
      "--pgdata",
      folder,
      "--username",
      "drover",
      "--auth",
      "trust",
      "--no-sync",
      "--encoding",
      "UTF8",
    ];
    const [program, ...words] = asNobody(programPath("initdb"), ...made, "--locale", "C");
    await promisify(execFile)(program!, words, { cwd: folder });
    return new RunningPostgres(folder, port, await launch(folder, port));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

class RunningPostgres implements Postgres {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #server: Child;

  constructor(folder: string, port: number, server: Child) {
    this.url = `postgres://drover@127.0.0.1:${port}/postgres`;
    this.#folder = folder;
    this.#port = port;
    this.#server = server;
  }

  get pid(): number {
    return this.#server.pid;
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  async sql(statement: string): Promise<void> {
    const sql = postgres(this.url, { max: 1, onnotice: () => undefined });
    await sql.unsafe(statement).finally(() => sql.end());
  }

  freeze(): void {
    this.#signalAll("SIGSTOP");
  }

  thaw(): void {
    this.#signalAll("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#server = await launch(this.#folder, this.#port);
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The server and the processes that serve its connections. */
  #signalAll(signal: NodeJS.Signals): void {
    this.#server.signal(signal);
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8");
    for (const pid of children.split(" ").filter(Boolean)) process.kill(Number(pid), signal);
  }
}

function launch(folder: string, port: number): Promise<Child> {
  const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ["-c", setting]);
  const [program, ...words] = asNobody(programPath("postgres"), "-D", folder, ...settings);
  return startChild(program!, words, /ready to accept connections/);
}

function asNobody(program: string, ...words: string[]): string[] {
  const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--pdeathsig", "KILL"];
  return ["setpriv", ...who, program, ...words];
}

/** A program of the newest Postgres there is: the machine's, or the one that set-up brought. */
function programPath(name: string): string {
  const places = [resolve(".drover/tools/postgres"), "/"].map((root) =>
    join(root, "usr/lib/postgresql/*/bin", name),
  );
  const found = places.flatMap((place) => globSync(place));
  const version = (file: string) => Number(file.split("/").at(-3));
  const newest = found.sort((a, b) => version(b) - version(a))[0];
  if (newest === undefined) throw new Error(`${name} is missing: run ./drover test, it brings it`);
  return newest;
}
