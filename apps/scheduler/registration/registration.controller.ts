import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { schedulerCalls, subjects } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import { RegisterHost, type Registration, type Tail, type TailRequest } from "./register-host.ts";
import type { Verdict } from "./verdict.ts";

/** Answers hosts that say who they are. The subject names the asking host: its credentials allow no other (F28). */
@Controller()
export class RegistrationController {
  constructor(@Inject(RegisterHost) private readonly registers: RegisterHost) {}

  @Answers(schedulerCalls.register)
  async register(registration: Registration, context: CallContext): Promise<Verdict> {
    assertAsksForItself("register", registration.hostId, context);
    const { subject: _, signal: __, ...meta } = context;
    return this.registers.run(registration, { ...meta, actor: `host:${registration.hostId}` });
  }

  @Answers(schedulerCalls.tail)
  async tail(request: TailRequest, context: CallContext): Promise<Tail> {
    assertAsksForItself("tail", request.hostId, context);
    return this.registers.tail(request);
  }
}

function assertAsksForItself(verb: "register" | "tail", hostId: string, context: CallContext): void {
  if (context.subject === subjects.hostToScheduler(hostId, verb)) return;
  throw new RefusedError(refusal("forbidden", `no host speaks for another: this is not host ${hostId}`));
}
