import { type DynamicModule, Module } from "@nestjs/common";
import { HostAgent } from "./agent.ts";
import { Execs } from "./calls/execs.ts";
import { HostController } from "./calls/host.controller.ts";
import { HostCalls } from "./calls/host.ts";
import { MachineCalls } from "./calls/machines.ts";
import { Placement } from "./calls/placement.ts";
import { VolumeCalls } from "./calls/volumes.ts";
import { Wakes } from "./calls/wakes.ts";

@Module({})
class AgentModule {}

/** Nest's view of an agent: the controller, and the use cases that it hands calls to. */
export function agentModule(agent: HostAgent): DynamicModule {
  return {
    module: AgentModule,
    controllers: [HostController],
    providers: [
      { provide: HostAgent, useValue: agent },
      { provide: Placement, useFactory: (from: HostAgent) => from.placement, inject: [HostAgent] },
      { provide: MachineCalls, useFactory: (from: HostAgent) => from.machines, inject: [HostAgent] },
      { provide: VolumeCalls, useFactory: (from: HostAgent) => from.volumes, inject: [HostAgent] },
      { provide: Wakes, useFactory: (from: HostAgent) => from.wakes, inject: [HostAgent] },
      { provide: Execs, useFactory: (from: HostAgent) => from.execs, inject: [HostAgent] },
      { provide: HostCalls, useFactory: (from: HostAgent) => from.host, inject: [HostAgent] },
    ],
  };
}
