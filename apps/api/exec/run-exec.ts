import {
  type CallMeta,
  decodeExecFrame,
  EXEC_CHUNK_BYTES,
  EXEC_WINDOW_BYTES,
  type ExecFrame,
  encodeExecFrame,
} from "#contracts";
import { type Clock, type Refusal, RefusedError, refusal, Window } from "#kernel";
import type { Located } from "../fleet/fleet-reader.ts";
import type { Execs, OpenExec } from "./execs.ts";

/** Kept of each stream of output; what comes after that is read and dropped. */
const MOST_OUTPUT_BYTES = 1024 * 1024;

export interface ExecOrder {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly timeoutMs: number;
}

/** `flydv1.ExecResponse` of the Machines API. */
export interface ExecAnswer {
  readonly exit_code: number;
  readonly exit_signal: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Drover's own: there was more output than this. */
  readonly truncated?: true;
}

/** Runs a program to its end, and tells all that it wrote. */
export class RunExec {
  readonly #execs: Execs;
  readonly #clock: Clock;

  constructor(execs: Execs, clock: Clock) {
    this.#execs = execs;
    this.#clock = clock;
  }

  /**
   * Throws the host's refusal, and `deadline_exceeded` when the program had to be killed because its time was up; what it
   * wrote until then is in the details. It is killed, too, when `signal` fires.
   */
  async run(located: Located, order: ExecOrder, meta: CallMeta, signal: AbortSignal): Promise<ExecAnswer> {
    const spec = { args: [...order.args], hasStdin: order.stdin !== "" };
    const output = new Output();
    const window = new Window(EXEC_WINDOW_BYTES);
    const ended = Promise.withResolvers<Extract<ExecFrame, { kind: "exit" }> | Refusal>();
    const open: OpenExec = await this.#execs.open(located, spec, meta, {
      onFrame: (bytes) => {
        const frame = decodeExecFrame(bytes);
        if (frame?.kind === "taken") window.give(frame.bytes);
        if (frame?.kind === "exit") ended.resolve(frame);
        if (frame?.kind !== "stdout" && frame?.kind !== "stderr") return;
        output.add(frame.kind, frame.data);
        open.send(encodeExecFrame({ kind: "taken", bytes: frame.data.length }));
      },
      onEnd: ended.resolve,
    });
    const over = new AbortController();
    const late = this.#clock.sleep(order.timeoutMs, AbortSignal.any([signal, over.signal]));
    const timedOut = late.then(() => this.#late(order, output));
    const cancelled = () => refusal("cancelled", "the client went away: the command was killed");
    void feed(open, Buffer.from(order.stdin), window);
    const end = await Promise.race([ended.promise, timedOut.catch(cancelled)]);
    over.abort("over");
    open.close();
    if ("code" in end) throw new RefusedError(end);
    return { exit_code: end.exitCode, exit_signal: end.exitSignal, ...output.shown() };
  }

  #late({ timeoutMs }: ExecOrder, output: Output): Refusal {
    const message = `the command did not end within ${timeoutMs / 1_000} s and was killed: give it more time with timeout`;
    return refusal("deadline_exceeded", message, { details: { ...output.shown() } });
  }
}

async function feed(open: OpenExec, input: Buffer, window: Window): Promise<void> {
  for (let at = 0; at < input.length; at += EXEC_CHUNK_BYTES) {
    const data = input.subarray(at, at + EXEC_CHUNK_BYTES);
    await window.take(data.length);
    open.send(encodeExecFrame({ kind: "stdin", data }));
  }
  open.send(encodeExecFrame({ kind: "stdin-end" }));
}

class Output {
  readonly #chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  readonly #bytes = { stdout: 0, stderr: 0 };
  #isTruncated = false;

  add(stream: "stdout" | "stderr", data: Uint8Array): void {
    const room = MOST_OUTPUT_BYTES - this.#bytes[stream];
    if (data.length > room) this.#isTruncated = true;
    const kept = data.subarray(0, room);
    this.#bytes[stream] += kept.length;
    if (kept.length > 0) this.#chunks[stream].push(Buffer.from(kept));
  }

  shown() {
    return {
      stdout: Buffer.concat(this.#chunks.stdout).toString(),
      stderr: Buffer.concat(this.#chunks.stderr).toString(),
      ...(this.#isTruncated ? { truncated: true as const } : {}),
    };
  }
}
