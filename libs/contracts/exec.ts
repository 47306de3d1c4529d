import { z } from "zod";
import { call } from "./call.ts";
import { SUBJECT_TOKEN } from "./subjects.ts";

const id = z.string().regex(SUBJECT_TOKEN);

/** Bytes of input, and likewise of output, that may be under way to somebody who has not taken them yet. */
export const EXEC_WINDOW_BYTES = 256 * 1024;
/** Of one frame's data, at the most. */
export const EXEC_CHUNK_BYTES = 32 * 1024;

const side = z.number().int().min(1).max(10_000);
const terminalSizeSchema = z.object({ columns: side, rows: side });
/** `name`: of its kind, as in TERM. */
export const terminalSchema = terminalSizeSchema.extend({ name: z.string().regex(/^[\w.+-]{1,64}$/) });

/** A program that is to run beside a machine's own process. */
export const execSpecSchema = z.object({
  /** Program and arguments. */
  args: z.array(z.string().max(131_072)).min(1).max(1_024),
  /** Without it the program reads nothing. */
  hasStdin: z.boolean(),
  terminal: terminalSchema.optional(),
});
export type ExecSpecMessage = z.infer<typeof execSpecSchema>;

/**
 * Begins a program in a machine. From then on `ExecFrame`s come and go on `subjects.execInput` and `execOutput`; whoever
 * asks listens before. The program ends with them.
 */
export const execCall = call(
  "exec",
  z.object({ machineId: id, execId: id, ...execSpecSchema.shape }),
  z.object({}),
);

const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;

/** What is said as JSON, by kind. */
const SAID = {
  resize: terminalSizeSchema,
  signal: z.object({ name: z.enum(SIGNALS) }),
  /** So many bytes were taken: as many more may come. */
  taken: z.object({ bytes: z.number().int().min(0) }),
  /** The last frame: all output came before it. */
  exit: z.object({ exitCode: z.number().int(), exitSignal: z.number().int() }),
} as const;

type Said = { [K in keyof typeof SAID]: { readonly kind: K } & z.infer<(typeof SAID)[K]> }[keyof typeof SAID];

/** One message of a running program or to it, the same on the bus and on a client's socket. */
export type ExecFrame =
  | { readonly kind: "stdin" | "stdout" | "stderr"; readonly data: Uint8Array }
  /** No more input comes. */
  | { readonly kind: "stdin-end" }
  | Said;

/** The first byte of a frame stands for its kind: never reordered. */
const KINDS = ["stdin", "stdin-end", "stdout", "stderr", "resize", "signal", "taken", "exit"] as const;

export function encodeExecFrame(frame: ExecFrame): Uint8Array {
  const first = Buffer.of(KINDS.indexOf(frame.kind));
  if ("data" in frame) return Buffer.concat([first, frame.data]);
  const { kind: _, ...said } = frame;
  return Buffer.concat([first, Buffer.from(JSON.stringify(said))]);
}

/** Reads what `encodeExecFrame` wrote; undefined for anything else. */
export function decodeExecFrame(bytes: Uint8Array): ExecFrame | undefined {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  const rest = bytes.subarray(1);
  switch (kind) {
    case undefined:
      return undefined;
    case "stdin":
    case "stdout":
    case "stderr":
      return { kind, data: rest };
    case "stdin-end":
      return { kind };
    default: {
      const said = SAID[kind].safeParse(jsonIn(rest));
      return said.success ? ({ kind, ...said.data } as ExecFrame) : undefined;
    }
  }
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
