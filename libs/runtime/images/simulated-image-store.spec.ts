import { SimulatedClock } from "#kernel";
import { imageStoreContract } from "./image-store.contract.ts";
import { ImagesOnDisk, SimulatedImageStore, SimulatedRegistry } from "./simulated-image-store.ts";

imageStoreContract("simulated", async () => {
  const registry = new SimulatedRegistry();
  const disk = new ImagesOnDisk();
  const clock = new SimulatedClock();
  return {
    store: new SimulatedImageStore(registry, disk, clock),
    async publish(repository, tag, content, config) {
      const reference = `registry.test/${repository}:${tag}`;
      registry.publish(reference, content, config);
      return reference;
    },
    async takeRegistryDown() {
      registry.health = "down";
    },
    async silenceRegistry() {
      registry.health = "silent";
    },
    passMinute: () => clock.pass(60_000),
    reopened: async () => new SimulatedImageStore(registry, disk, clock),
    async close() {},
  };
});
