import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { type AnswerOf, type CallMeta, type RequestOf, schedulerCalls } from "#contracts";
import { RefusedError } from "#kernel";
import type { Placed, PlaceRequest } from "./deciding.ts";
import { PlaceMachine } from "./place-machine.ts";
import { SurveyRegions } from "./survey-regions.ts";

type Survey = (typeof schedulerCalls)["survey"];

/** Answers requests for a place, and questions about room. */
@Controller()
export class PlacementController {
  constructor(
    @Inject(PlaceMachine) private readonly places: PlaceMachine,
    @Inject(SurveyRegions) private readonly surveys: SurveyRegions,
  ) {}

  @Answers(schedulerCalls.place)
  async place(request: PlaceRequest, context: CallContext): Promise<Placed> {
    const result = await this.places.run(request, metaOf(context));
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    return result.answer;
  }

  @Answers(schedulerCalls.survey)
  async survey(request: RequestOf<Survey>, context: CallContext): Promise<AnswerOf<Survey>> {
    return this.surveys.run(request, metaOf(context));
  }
}

function metaOf({ subject: _, signal: __, ...meta }: CallContext): CallMeta {
  return meta;
}
