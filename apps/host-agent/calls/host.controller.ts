import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { type AnswerOf, bidCall, hostCalls, type RequestOf } from "#contracts";
import { Execs } from "./execs.ts";
import { HostCalls } from "./host.ts";
import { MachineCalls } from "./machines.ts";
import { Placement } from "./placement.ts";
import { VolumeCalls } from "./volumes.ts";
import { Wakes } from "./wakes.ts";

type Asked<V extends keyof typeof hostCalls> = RequestOf<(typeof hostCalls)[V]>;
type Answered<V extends keyof typeof hostCalls> = Promise<AnswerOf<(typeof hostCalls)[V]>>;

/** Every call that this host answers, and who answers it. */
@Controller()
export class HostController {
  constructor(
    @Inject(Placement) private readonly placement: Placement,
    @Inject(MachineCalls) private readonly machines: MachineCalls,
    @Inject(Wakes) private readonly wakes: Wakes,
    @Inject(VolumeCalls) private readonly volumes: VolumeCalls,
    @Inject(Execs) private readonly execs: Execs,
    @Inject(HostCalls) private readonly host: HostCalls,
  ) {}

  @Answers(bidCall)
  bid(request: RequestOf<typeof bidCall>): Promise<AnswerOf<typeof bidCall>> {
    return this.placement.bid(request);
  }

  @Answers(hostCalls.offer)
  offer(request: Asked<"offer">, context: CallContext): Answered<"offer"> {
    return this.placement.offer(request, context);
  }

  @Answers(hostCalls.commit)
  commit(request: Asked<"commit">, context: CallContext): Answered<"commit"> {
    return this.placement.commit(request, context);
  }

  @Answers(hostCalls.commitVolume)
  commitVolume(request: Asked<"commitVolume">, context: CallContext): Answered<"commitVolume"> {
    return this.placement.commitVolume(request, context);
  }

  @Answers(hostCalls.release)
  release(request: Asked<"release">, context: CallContext): Answered<"release"> {
    return this.placement.release(request, context);
  }

  @Answers(hostCalls.machine)
  command(request: Asked<"machine">, context: CallContext): Answered<"machine"> {
    return this.machines.command(request, context);
  }

  @Answers(hostCalls.volume)
  commandVolume(request: Asked<"volume">, context: CallContext): Answered<"volume"> {
    return this.volumes.command(request, context);
  }

  @Answers(hostCalls.snapshot)
  snapshot(request: Asked<"snapshot">, context: CallContext): Answered<"snapshot"> {
    return this.volumes.snapshot(request, context);
  }

  @Answers(hostCalls.getVolume)
  getVolume(request: Asked<"getVolume">): Answered<"getVolume"> {
    return this.volumes.get(request);
  }

  @Answers(hostCalls.wake)
  wake(request: Asked<"wake">, context: CallContext): Answered<"wake"> {
    return this.wakes.wake(request, context);
  }

  @Answers(hostCalls.exec)
  exec(request: Asked<"exec">, context: CallContext): Answered<"exec"> {
    return this.execs.open(request, context.signal);
  }

  @Answers(hostCalls.get)
  get(request: Asked<"get">): Answered<"get"> {
    return this.machines.get(request);
  }

  @Answers(hostCalls.logs)
  async logs(request: Asked<"logs">): Answered<"logs"> {
    return this.machines.logs(request);
  }

  @Answers(hostCalls.inspect)
  inspect(): Answered<"inspect"> {
    return this.host.inspect();
  }

  @Answers(hostCalls.events)
  events(request: Asked<"events">): Answered<"events"> {
    return this.host.events(request);
  }

  @Answers(hostCalls.cordon)
  cordon(request: Asked<"cordon">, context: CallContext): Answered<"cordon"> {
    return this.host.cordon(request, context);
  }
}
