import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { schedulerCalls } from "#contracts";
import { RefusedError } from "#kernel";
import type { Placed, PlaceRequest } from "./deciding.ts";
import { PlaceMachine } from "./place-machine.ts";

/** Answers requests for a place. */
@Controller()
export class PlacementController {
  constructor(@Inject(PlaceMachine) private readonly places: PlaceMachine) {}

  @Answers(schedulerCalls.place)
  async place(request: PlaceRequest, context: CallContext): Promise<Placed> {
    const { subject: _, signal: __, ...meta } = context;
    const result = await this.places.run(request, meta);
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    return result.answer;
  }
}
