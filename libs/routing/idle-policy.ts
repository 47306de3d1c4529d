import type { Service } from "#contracts";

/** When a machine may be stopped because nobody wants it. */
export interface IdlePolicy {
  readonly autostop: Service["autostop"];
  readonly autostopAfterMs: number;
  readonly minMachinesRunning: number;
}

const policies = new WeakMap<readonly Service[], IdlePolicy>();

/** A machine's policy: one service that stays up keeps all of it up, and the most careful number of each kind counts. */
export function idlePolicyOf(services: readonly Service[]): IdlePolicy {
  const known = policies.get(services);
  if (known !== undefined) return known;
  const isKept = services.length === 0 || services.some(({ autostop }) => autostop === "off");
  const made: IdlePolicy = {
    autostop: isKept ? "off" : services.some(({ autostop }) => autostop === "stop") ? "stop" : "suspend",
    autostopAfterMs: Math.max(0, ...services.map(({ autostopAfterMs }) => autostopAfterMs)),
    minMachinesRunning: Math.max(0, ...services.map(({ minMachinesRunning }) => minMachinesRunning)),
  };
  policies.set(services, made);
  return made;
}
