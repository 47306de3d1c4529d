import type { ControlCommands, Drift } from "#fleet";
import type { Ids } from "#kernel";
import type { ServiceLogger } from "#service";

/** Writes down in CONTROL that this process's fold was not what a host's log folds to (F07). */
export async function reportDrift(
  control: ControlCommands,
  ids: Ids,
  drift: Drift,
  logger: ServiceLogger,
): Promise<void> {
  logger.error({ drift }, "the fold was wrong, and was made anew from the log");
  const id = ids.ulid();
  const meta = { commandId: id, correlationId: id, causationId: id, actor: "api" };
  await control
    .execute({ type: "ReportDrift", projection: "api", ...drift, differences: [...drift.differences] }, meta)
    .catch((err: unknown) => logger.error({ err }, "that the fold was wrong could not be written down"));
}
