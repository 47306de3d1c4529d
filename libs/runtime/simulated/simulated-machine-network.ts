import { TerminalError } from "#kernel";
import { MachineNetwork, type NetworkSpec } from "../network/machine-network.ts";
import { portKey, type SimulatedLife } from "./simulated-kernel.ts";

/** Networks in memory. */
export class SimulatedMachineNetwork extends MachineNetwork {
  readonly #life: SimulatedLife;

  constructor(life: SimulatedLife) {
    super();
    this.#life = life;
  }

  override async prepare(spec: NetworkSpec, signal: AbortSignal): Promise<{ readonly netnsPath: string }> {
    signal.throwIfAborted();
    await this.#life.effect("claim ports", () => this.#claim(spec));
    await this.#life.effect("link", () => {
      this.#life.kernel.networks.set(spec.machineId, spec);
    });
    await this.#life.effect("release ports", () => this.#release(spec.machineId, spec.ports.map(portKey)));
    return { netnsPath: `/simulated/netns/${spec.machineId}` };
  }

  override async remove(machineId: string): Promise<void> {
    await this.#life.effect("unlink", () => {
      this.#life.kernel.networks.delete(machineId);
    });
    await this.#life.effect("release ports", () => this.#release(machineId, []));
  }

  override async list(): Promise<string[]> {
    return [...this.#life.kernel.networks.keys()].sort();
  }

  #claim(spec: NetworkSpec): void {
    const { publishedPorts, foreignPorts } = this.#life.kernel;
    for (const key of spec.ports.map(portKey)) {
      const holder =
        publishedPorts.get(key) ?? (foreignPorts.has(key) ? "a process on this host" : undefined);
      if (holder !== undefined && holder !== spec.machineId)
        throw new TerminalError("port_taken", `port ${key} is taken by ${holder}`);
      publishedPorts.set(key, spec.machineId);
    }
  }

  #release(machineId: string, except: readonly string[]): void {
    for (const [key, holder] of this.#life.kernel.publishedPorts) {
      if (holder === machineId && !except.includes(key)) this.#life.kernel.publishedPorts.delete(key);
    }
  }
}
