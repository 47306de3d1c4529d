import type { ControlCommand } from "./command.ts";

/** Hashes of secrets are no secrets, and still nobody's business; what a placement saw stands in its event. */
const LEFT_OUT: ReadonlySet<string> = new Set(["secretHash", "wish", "candidates", "refusals"]);

/** A command for its decision record, less what the event that it makes holds already. */
export function describeControl({ type, ...inputs }: ControlCommand): {
  command: ControlCommand["type"];
  inputs: Record<string, unknown>;
} {
  const kept = Object.entries(inputs).filter(([name]) => !LEFT_OUT.has(name));
  return { command: type, inputs: Object.fromEntries(kept) };
}
