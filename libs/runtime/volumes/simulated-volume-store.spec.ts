import { SimulatedPool, SimulatedVolumeStore } from "./simulated-volume-store.ts";
import { CAPACITY_MIB, MIB, volumeStoreContract } from "./volume-store.contract.ts";

volumeStoreContract("simulated", async () => {
  const pool = new SimulatedPool(CAPACITY_MIB * MIB);
  return {
    store: new SimulatedVolumeStore(pool),
    write: async (volumeId, name, content) => pool.write(volumeId, name, content),
    read: async (volumeId, name) => pool.volumes.get(volumeId)?.files.get(name),
    settle: async () => {},
    next: async () => new SimulatedVolumeStore(pool),
    close: async () => {},
  };
});
