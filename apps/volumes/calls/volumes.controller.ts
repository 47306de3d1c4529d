import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { type AnswerOf, type CallMeta, type RequestOf, volumesCalls } from "#contracts";
import { HostVolumes } from "./host-volumes.ts";

type Asked<V extends keyof typeof volumesCalls> = RequestOf<(typeof volumesCalls)[V]>;
type Answered<V extends keyof typeof volumesCalls> = Promise<AnswerOf<(typeof volumesCalls)[V]>>;

/** Every call that this service answers: to the API alone. */
@Controller()
export class VolumesController {
  constructor(@Inject(HostVolumes) private readonly hosts: HostVolumes) {}

  @Answers(volumesCalls.create)
  create(request: Asked<"create">, context: CallContext): Answered<"create"> {
    return this.hosts.create(request, metaOf(context));
  }

  @Answers(volumesCalls.extend)
  extend({ volumeId, sizeGb }: Asked<"extend">, context: CallContext): Answered<"extend"> {
    return this.hosts.command(volumeId, { type: "ExtendVolume", sizeGb }, metaOf(context));
  }

  @Answers(volumesCalls.update)
  update({ volumeId, ...changes }: Asked<"update">, context: CallContext): Answered<"update"> {
    return this.hosts.command(volumeId, { type: "UpdateVolume", ...changes }, metaOf(context));
  }

  @Answers(volumesCalls.destroy)
  destroy({ volumeId }: Asked<"destroy">, context: CallContext): Answered<"destroy"> {
    return this.hosts.command(volumeId, { type: "DestroyVolume" }, metaOf(context));
  }

  @Answers(volumesCalls.snapshot)
  snapshot(request: Asked<"snapshot">, context: CallContext): Answered<"snapshot"> {
    return this.hosts.snapshot({ ...request, command: "TakeSnapshot", origin: "user" }, metaOf(context));
  }
}

function metaOf({ subject: _, signal: __, ...meta }: CallContext): CallMeta {
  return meta;
}
