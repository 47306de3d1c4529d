import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../settings.ts";

/** Of the API's `/drover/v1/read-model`. */
interface ReadModelRecord {
  readonly store: string;
  readonly state: "serving" | "filling" | "unavailable";
  readonly trouble?: string;
  readonly generation?: number;
  readonly events?: number;
  readonly quarantined?: number;
  readonly lag_events: number;
  readonly age_seconds: number | null;
  readonly filling?: { readonly generation: number; readonly events: number; readonly seconds: number };
  readonly build?: BuildRecord;
}

interface BuildRecord {
  readonly generation: number;
  readonly events: number;
  readonly quarantined: number;
  readonly seconds: number;
  readonly events_per_second: number;
  readonly budget_seconds: number;
  readonly within_budget: boolean;
}

interface RebuildFlags extends CommonFlags {
  readonly timeout: string;
}

const PATH = "/drover/v1/read-model";
const LOOK_EVERY_MS = 500;
/** A killed API is back within this; the rebuild goes on with it. */
const SILENCE_MS = 60_000;

export function registerReadModel(program: Command, context: CliContext): void {
  const readModel = program
    .command("read-model")
    .summary("the database behind lists and history: how it is, and made anew")
    .addHelpText("after", "\nExample:\n  $ drover read-model status && drover read-model rebuild\n");
  readModel
    .command("status", { isDefault: true })
    .summary("which generation is read, how far it is behind, how old it is")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover read-model status\n")
    .action(async (flags: CommonFlags) => {
      const found = await statusOf(await context.api(flags));
      context.output(flags).result(found, statusText(found));
    });
  readModel
    .command("rebuild")
    .summary("make all of it anew from the logs, while the old one is read")
    .option("--timeout <seconds>", "give up waiting after this long; the rebuild goes on", "3600")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover read-model rebuild\n")
    .action(async (flags: RebuildFlags) => rebuild(context, flags));
}

async function rebuild(context: CliContext, flags: RebuildFlags): Promise<void> {
  const timeoutMs = wholeNumber(flags.timeout, "--timeout", 1, 86_400) * 1_000;
  const output = context.output(flags);
  const api = await context.api(flags);
  const { generation } = await api.create<{ generation: number }>(`${PATH}/rebuild`, "generation", {});
  const build = await outcomeOf(api, generation, timeoutMs, context, output);
  output.result(build, buildText(build));
}

/** Waits until a generation is read. Throws a refusal when it never is. */
async function outcomeOf(
  api: ApiClient,
  generation: number,
  timeoutMs: number,
  { clock }: CliContext,
  output: Output,
): Promise<BuildRecord> {
  const endMs = clock.monotonicMs() + timeoutMs;
  for (let heardMs = clock.monotonicMs(); clock.monotonicMs() < endMs; await clock.sleep(LOOK_EVERY_MS)) {
    const now = await statusOf(api).catch((error) => {
      if (clock.monotonicMs() - heardMs > SILENCE_MS) throw error;
      return undefined;
    });
    if (now === undefined) continue;
    heardMs = clock.monotonicMs();
    // A later one is as good: it was made from the same logs.
    if (now.build !== undefined && now.build.generation >= generation) return now.build;
    output.progress(progressText(now));
  }
  const message = `generation ${generation} is not complete yet: see \`drover read-model status\``;
  throw new RefusedError(refusal("deadline_exceeded", message));
}

function statusOf(api: ApiClient): Promise<ReadModelRecord> {
  return api.get<ReadModelRecord>(PATH, "state");
}

function progressText({ filling, trouble }: ReadModelRecord): string {
  if (filling === undefined) return `waiting: ${trouble ?? "not begun yet"}`;
  const rate = Math.round(filling.events / Math.max(0.001, filling.seconds));
  return `generation ${filling.generation}: ${filling.events} events in ${filling.seconds.toFixed(1)} s (${rate}/s)`;
}

function buildText(build: BuildRecord): string {
  const { generation, events, seconds, events_per_second: rate, budget_seconds: budget, quarantined } = build;
  const kept = build.within_budget ? "within" : "beyond";
  const bad = quarantined === 0 ? "" : `\n${quarantined} events could not be taken and are set aside`;
  return `generation ${generation}: ${events} events in ${seconds.toFixed(1)} s (${rate}/s), ${kept} its budget of ${budget} s${bad}`;
}

function statusText(now: ReadModelRecord): string {
  const { store, state, trouble, generation, events, quarantined, lag_events: lag, age_seconds: age } = now;
  const lines = [`${store}: ${state}${trouble === undefined ? "" : ` (${trouble}); lists come from memory`}`];
  if (generation !== undefined) {
    lines.push(`generation ${generation}: ${events} events, ${quarantined} set aside`);
    lines.push(`behind by ${lag} events; all that was known ${age ?? "?"} s ago is included`);
  }
  if (now.filling !== undefined) lines.push(`being filled: ${progressText(now)}`);
  return lines.join("\n");
}
