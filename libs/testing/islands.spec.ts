import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { connectBus } from "#bus";
import { subjects } from "#contracts";
import { HUB_SHORE, Islands } from "./islands.ts";
import { startTopology, type Topology } from "./topology.ts";

let islands: Islands;
let topology: Topology;
beforeAll(async () => {
  islands = await Islands.make(["a", "b"]);
  topology = await startTopology({ hosts: ["a", "b"], islands });
}, 60_000);
afterAll(async () => {
  await topology.stop();
  await islands.remove();
});

/** Resolves when a host's word arrives at the hub. */
async function heard(hostId: string): Promise<void> {
  const api = await connectBus(topology.bus("api"));
  const agent = await connectBus(topology.hosts.get(hostId)!.bus);
  try {
    const words = api.subscribe(subjects.live(hostId), { max: 1 });
    await api.flush();
    const speaking = setInterval(() => agent.publish(subjects.live(hostId), "word"), 20);
    for await (const _ of words) clearInterval(speaking);
  } finally {
    await Promise.all([api, agent].map((nc) => nc.close()));
  }
}

it.each([
  ["a", HUB_SHORE],
  [HUB_SHORE, "a"],
])(
  "loses a host's link when nothing gets from %s to %s, no other host's, and finds it again",
  async (from, to) => {
    await heard("a");
    const heal = await islands.cut(from, to);
    try {
      while ((await linkedHosts()).includes("a")) await new Promise((done) => setTimeout(done, 50));
      expect(await linkedHosts()).toEqual(["b"]);
      await heard("b");
    } finally {
      await heal();
    }
    await topology.linked();
    await heard("a");
  },
  60_000,
);

async function linkedHosts(): Promise<string[]> {
  const answer = await fetch(`${topology.hub.monitorUrl}/leafz`);
  const { leafs = [] } = (await answer.json()) as { leafs?: readonly { readonly name: string }[] };
  return leafs.map(({ name }) => name.replace(/^leaf-/, "")).sort();
}
