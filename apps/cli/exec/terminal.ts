import type { RemoteExec } from "./follow-exec.ts";

/** The terminal that the user sits at, as a program far away needs it: every key, and its size. */
export class Terminal {
  /** Of its kind, as programs look it up. */
  readonly name: string;
  readonly #stdin = process.stdin;
  readonly #stdout = process.stdout;

  /** `kind`: what TERM says. */
  constructor(kind: string | undefined) {
    this.name = kind !== undefined && /^[\w.+-]{1,64}$/.test(kind) ? kind : "dumb";
  }

  /** Whether there is one on both sides. */
  get isThere(): boolean {
    return this.#stdin.isTTY === true && this.#stdout.isTTY === true;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  /** Gives the terminal to the program while `use` runs: Ctrl-C is a key like any other then. */
  async lend<T>(exec: RemoteExec, use: () => Promise<T>): Promise<T> {
    const resized = () => exec.say({ kind: "resize", ...this.size });
    this.#stdin.setRawMode(true);
    this.#stdout.on("resize", resized);
    try {
      return await use();
    } finally {
      this.#stdout.off("resize", resized);
      this.#stdin.setRawMode(false);
    }
  }
}

/** Passes the first Ctrl-C on to the program while `use` runs; the second ends it. */
export async function passingInterrupts<T>(exec: RemoteExec, use: () => Promise<T>): Promise<T> {
  let interrupts = 0;
  const interrupted = () => {
    interrupts += 1;
    if (interrupts === 1) exec.say({ kind: "signal", name: "SIGINT" });
    else exec.abandon();
  };
  process.on("SIGINT", interrupted);
  try {
    return await use();
  } finally {
    process.off("SIGINT", interrupted);
  }
}
