import { Controller, Get, HttpCode, Inject, Post } from "@nestjs/common";
import { Clock } from "#kernel";
import { ReadModel } from "#read-model";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { readModelJson } from "./read-model-json.ts";

/** The rows behind lists and history: how they are, and made anew. */
@Controller("drover/v1/read-model")
export class ReadModelController {
  constructor(
    @Inject(ReadModel) private readonly readModel: ReadModel,
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  status() {
    return readModelJson(this.readModel.status(), this.fleet.position(), this.clock.nowMs());
  }

  /** Begins a rebuild, or joins the one that is under way; its generation is read once `status` shows it. */
  @Post("rebuild")
  @HttpCode(202)
  async rebuild() {
    return { generation: await this.readModel.rebuild() };
  }
}
