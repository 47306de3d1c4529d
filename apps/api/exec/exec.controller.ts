import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { Ids, RefusedError, refusal } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { RunExec } from "./run-exec.ts";
import { shellWords } from "./shell-words.ts";

/** `MachineExecRequest` of the Machines API. */
const execSchema = z.looseObject({
  /** Deprecated there: a command line. */
  cmd: z.string().optional(),
  command: z.array(z.string()).optional(),
  stdin: z.string().optional(),
  /** Seconds. */
  timeout: z.number().int().min(0).max(300).optional(),
  container: z.string().optional(),
});
const DEFAULT_TIMEOUT_S = 60;

@Controller("v1/apps/:appName/machines/:machineId/exec")
export class ExecController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(RunExec) private readonly execs: RunExec,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  /** Runs a command to its end. Whoever wants its streams, or a terminal, asks for `…/exec/stream`. */
  @Post()
  @HttpCode(200)
  async exec(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const { cmd = "", command, stdin = "", timeout, container } = parse(execSchema, body ?? {}, "body");
    const args = command ?? shellWords(cmd);
    if (args.length === 0) throw new RefusedError(refusal("invalid", "command: name a program"));
    if (container !== undefined && container !== "") {
      throw new RefusedError(refusal("unsupported", "container: a machine has one, leave it out"));
    }
    const located = await this.fleet.machineOf(appName, machineId);
    const gone = new AbortController();
    response.raw.once("close", () => gone.abort("the client went away"));
    // 0 is how Go's client says that it says nothing.
    const timeoutMs = (timeout || DEFAULT_TIMEOUT_S) * 1_000;
    return this.execs.run(located, { args, stdin, timeoutMs }, metaOf(request, this.ids), gone.signal);
  }
}
