import { expect } from "@jest/globals";
import { REFUSAL_CODES, type RefusalCode } from "#kernel";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { type Answer, type Plane, pause } from "./plane.ts";

const MACHINES = "/v1/apps/app/machines";
const MOST_TRIES = 20;

/** What a careful client sends: one key for one machine, however often it has to ask. */
export interface SureCreate {
  readonly name: string;
  readonly key: string;
}

export function send(plane: Plane, { name, key }: SureCreate, image = IMAGE): Promise<Answer<ShownMachine>> {
  const config = { image, guest: { memory_mb: 64 } };
  return plane.ask<ShownMachine>("POST", MACHINES, { name, config }, { "idempotency-key": key });
}

/** Repeats a request until it succeeds; whatever else it is told has to be typed. Undefined: nobody was there. */
export async function insistOn(ask: () => Promise<Answer<ShownMachine> | undefined>): Promise<ShownMachine> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const answer = await ask();
    if (answer?.status === 200) return answer.body;
    if (answer !== undefined) assertTyped(answer);
    await pause(100);
  }
  throw new Error(`no success in ${MOST_TRIES} tries`);
}

export function awaitStart(plane: Plane, { id }: ShownMachine): Promise<Answer<ShownMachine>> {
  return plane.ask("GET", `${MACHINES}/${id}/wait?state=started&timeout=30`);
}

/** An error says what it is, in the terms of the contract; it is never a bug's. */
export function assertTyped({ status, body }: Answer<unknown>): void {
  const { status: code, error } = body as { readonly status: RefusalCode; readonly error: string };
  expect(REFUSAL_CODES).toContain(code);
  expect({ status, code, error }).not.toMatchObject({ status: 500 });
}

/** Exactly one machine, which the name, the key and CONTROL all agree about. Destroys it. */
export async function assertOne(plane: Plane, create: SureCreate, machine: ShownMachine): Promise<void> {
  const { id } = machine;
  expect(await awaitStart(plane, machine)).toMatchObject({ status: 200 });
  const everywhere = plane.hosts.flatMap(({ hostId, state }) =>
    [...state.machines.values()]
      .filter(({ name }) => name === create.name)
      .map((found) => [hostId, found.id]),
  );
  expect(everywhere).toEqual([[machine.drover.host, id]]);
  expect(await plane.ownerOf(id)).toBe(machine.drover.host);
  const containers = plane.hosts.flatMap(({ kernel }) =>
    [...kernel.containers.keys()].filter((containerId) => containerId.startsWith(id)),
  );
  expect(containers).toHaveLength(1);
  expect(await send(plane, create)).toMatchObject({ status: 200, body: { id } });
  expect(await send(plane, create, "registry.test/other:1")).toMatchObject({ status: 400 });
  const rival = await send(plane, { ...create, key: `${create.key}-rival` });
  expect(rival).toMatchObject({ status: 409, body: { status: "name_taken" } });
  expect(await plane.ask("DELETE", `${MACHINES}/${id}?force=true`)).toMatchObject({ status: 200 });
}

/** Hosts let go of what was set aside, by themselves. */
export async function assertNothingReserved(plane: Plane): Promise<void> {
  const reserved = () => plane.hosts.flatMap(({ state }) => [...state.reservations.values()]);
  for (let waitedMs = 0; reserved().length > 0 && waitedMs < 30_000; waitedMs += 100) await pause(100);
  expect(reserved()).toEqual([]);
}
