import { machineNetworkContract } from "../network/machine-network.contract.ts";
import { SimulatedKernel } from "./simulated-kernel.ts";
import { SimulatedMachineNetwork } from "./simulated-machine-network.ts";

machineNetworkContract("SimulatedMachineNetwork", async () => {
  const kernel = new SimulatedKernel();
  const open = () => new SimulatedMachineNetwork(kernel.newLife());
  return {
    network: open(),
    reopen: async () => open(),
    subnet: "10.240",
    firstPort: 8000,
    takePort: async (port) => {
      kernel.foreignPorts.add(`tcp-${port}`);
      return async () => {
        kernel.foreignPorts.delete(`tcp-${port}`);
      };
    },
    destinationOf: async (hostPort, protocol) => {
      const spec = kernel.networks.get(kernel.publishedPorts.get(`${protocol}-${hostPort}`) ?? "");
      const port = spec?.ports.find((each) => each.host_port === hostPort && each.protocol === protocol);
      return spec && port && `${spec.ipv4}:${port.machine_port}`;
    },
    close: async () => {},
  };
});
