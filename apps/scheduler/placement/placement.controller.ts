import { Controller, Inject } from "@nestjs/common";
import { Answers, type CallContext } from "#bus";
import { type AnswerOf, type CallMeta, type RequestOf, schedulerCalls } from "#contracts";
import { RefusedError, type Result } from "#kernel";
import type { MachineRequest, Placed, VolumeRequest } from "./deciding.ts";
import { FindPlace } from "./find-place.ts";
import { SurveyRegions } from "./survey-regions.ts";

type Survey = (typeof schedulerCalls)["survey"];

/** Answers requests for a place, and questions about room. */
@Controller()
export class PlacementController {
  constructor(
    @Inject(FindPlace) private readonly places: FindPlace,
    @Inject(SurveyRegions) private readonly surveys: SurveyRegions,
  ) {}

  @Answers(schedulerCalls.place)
  async place(request: MachineRequest, context: CallContext): Promise<Placed<MachineRequest>> {
    return orThrow(await this.places.run(request, metaOf(context)));
  }

  @Answers(schedulerCalls.placeVolume)
  async placeVolume(request: VolumeRequest, context: CallContext): Promise<Placed<VolumeRequest>> {
    return orThrow(await this.places.run(request, metaOf(context)));
  }

  @Answers(schedulerCalls.survey)
  async survey(request: RequestOf<Survey>, context: CallContext): Promise<AnswerOf<Survey>> {
    return this.surveys.run(request, metaOf(context));
  }
}

function orThrow<T>(result: Result<T>): T {
  if (result.kind === "refused") throw new RefusedError(result.refusal);
  return result.answer;
}

function metaOf({ subject: _, signal: __, ...meta }: CallContext): CallMeta {
  return meta;
}
