import { delayBeforeAttemptMs, type OperationRun, type StepSpec } from "#kernel";
import { durationText, timeText } from "../phrases.ts";

/** So many attempts mean: until it works. */
const UNTIL_DONE = 1_000;

/** What would let a step be done: what has to happen, and what can be done about it. `machineId`: whose it is. */
export function stepReleasedBy(run: OperationRun, step: StepSpec, machineId: string | undefined): string {
  const input = (step.input ?? {}) as { readonly image?: string; readonly timeoutMs?: number };
  const again = againText(run, step);
  const orElse = machineId === undefined ? "" : `; \`drover destroy ${machineId} --force\` gives it up`;
  switch (step.name) {
    case "pull-image":
      return `the registry gives image ${input.image ?? ""}${again}${orElse}`;
    case "await-exit":
      return `its process ends; ${durationText(input.timeoutMs ?? 0)} after its signal it is killed${again}`;
    case "prepare":
    case "launch":
    case "keep-process":
    case "suspend":
      return `its host's runtime does it${again}${orElse}`;
    default:
      return `its host does it${again}`;
  }
}

/** When it is tried again, and how often. */
function againText(run: OperationRun, step: StepSpec): string {
  const pauseMs = delayBeforeAttemptMs(run);
  const next =
    pauseMs === 0
      ? ""
      : `: it is tried ${run.attempts > 0 ? "again " : ""}at ${timeText(run.sinceMs + pauseMs)}`;
  if (run.attempts === 0) return next;
  return step.maxAttempts < UNTIL_DONE
    ? `${next}, ${step.maxAttempts - run.attempts} more times`
    : `${next}, until it works`;
}

/** What would have hosts that said no say yes: each reason once, with all hosts that gave it. */
export function refusalsReleasedBy(
  refusals: readonly { readonly hostId: string; readonly code: string }[],
): string[] {
  const byCode = new Map<string, string[]>();
  for (const { hostId, code } of refusals) byCode.set(code, [...(byCode.get(code) ?? []), hostId]);
  return [...byCode].map(([code, hostIds]) => codeReleasedBy(code, [...new Set(hostIds)]));
}

function codeReleasedBy(code: string, hostIds: readonly string[]): string {
  const hosts = hostIds.join(" or ");
  switch (code) {
    case "cordoned":
      return `${hostIds.map((hostId) => `\`drover uncordon ${hostId}\``).join(" or ")}, or the end of the cordon`;
    case "insufficient_capacity":
      return `room on ${hosts} (destroy or stop machines there, ask for less, or add a host)`;
    case "port_taken":
      return `another port than the one that is taken on ${hosts}`;
    case "unsupported":
      return `what ${hosts} lacks, or a wish without it`;
    case "unreachable":
    case "deadline_exceeded":
      return `${hosts} answering again`;
    case "volume_in_use":
      return `the end of the machine on ${hosts} that has the volume`;
    case "storage_suspect":
      return `the storage of ${hosts} passing its check`;
    default:
      return `${hosts} saying yes (${code})`;
  }
}
