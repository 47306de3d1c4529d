import { SimulatedImageStore, SimulatedRegistry } from "../images/simulated-image-store.ts";
import { rootfsStoreContract } from "./rootfs-store.contract.ts";
import { SimulatedRootfsStore } from "./simulated-rootfs-store.ts";

rootfsStoreContract("simulated", async () => {
  const registry = new SimulatedRegistry();
  const images = new SimulatedImageStore(registry);
  const pull = async (name: string) => {
    registry.publish(name, name);
    return (await images.pull(name, new AbortController().signal)).digest;
  };
  const store = new SimulatedRootfsStore(images);
  return {
    store,
    images: [await pull("one"), await pull("two")],
    async write(machineId, _path, name, content) {
      store.layers.get(machineId)?.files.set(name, content);
    },
    read: async (machineId, _path, name) => store.layers.get(machineId)?.files.get(name),
    async use(machineId) {
      store.busy.add(machineId);
      return async () => {
        store.busy.delete(machineId);
      };
    },
    rebooted: async () => new SimulatedRootfsStore(images, store.layers),
    async close() {},
  };
});
