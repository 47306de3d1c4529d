import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { pause } from "../cluster/parts.ts";
import { processesOf } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";

let lab: HostLab;
beforeAll(async () => {
  lab = await HostLab.open(["a", "b"]);
}, 120_000);
afterAll(() => lab.close(), 60_000);

/** Changes a host's settings file. */
async function change(hostId: string, changes: object): Promise<void> {
  const { settingsFile } = await lab.place(hostId);
  const settings = JSON.parse(await readFile(settingsFile, "utf8")) as Record<string, unknown>;
  await writeFile(settingsFile, JSON.stringify({ ...settings, ...changes }));
}

const settingsOf = async (hostId: string) =>
  JSON.parse(await readFile((await lab.place(hostId)).settingsFile, "utf8")) as {
    readonly nats: { readonly servers: readonly string[]; readonly seedFile: string };
    readonly monitorUrl: string;
  };

describe("F28: a new host gets an old one's address", () => {
  it("and is not taken for it: identity is a key, not an address", async () => {
    const machineId = labIds.machineId();
    const a = await lab.agent("a");
    await lab.create("a", { machineId, commandId: labIds.ulid() });
    await lab.settled("a", machineId);
    const place = await lab.place("a");
    // It has started a moment before its program's name is seen.
    while (processesOf(place, machineId).length === 0) await pause(20);
    const pids = processesOf(place, machineId);
    await a.kill();

    // Host b comes up where host a was: its own key is worth nothing at a's leaf.
    const own = await settingsOf("b");
    const old = await settingsOf("a");
    await change("b", { nats: { ...own.nats, servers: old.nats.servers }, monitorUrl: old.monitorUrl });
    const lost = await lab.tryAgent("b");
    expect(lost.end).toBe(1);
    expect(lost.output).toMatch(/does not know the key of agent-b/);

    // With its own leaf it serves as itself alone; what is meant for a is not answered.
    await change("b", own);
    await lab.agent("b");
    expect(await lab.ask("b", hostCalls.get, { machineId })).toMatchObject({
      refusal: { code: "not_found" },
    });
    expect(await lab.ask("a", hostCalls.get, { machineId })).toMatchObject({
      refusal: { code: "unreachable" },
    });
    expect(processesOf(place, machineId)).toEqual(pids);
  }, 120_000);
});
