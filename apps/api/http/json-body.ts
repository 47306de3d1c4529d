import type { FastifyInstance } from "fastify";
import { RefusedError, refusal } from "#kernel";

/** Reads JSON bodies. Go's clients say `application/json` also where they send nothing: that is no body, not a bad one. */
export function readJsonBodies(fastify: FastifyInstance, maxBytes: number): void {
  const options = { parseAs: "string" as const, bodyLimit: maxBytes };
  fastify.addContentTypeParser("application/json", options, (_request, body: string, done) => {
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, JSON.parse(body));
    } catch (error) {
      done(new RefusedError(refusal("invalid", `the body is not JSON: ${(error as Error).message}`)));
    }
  });
}
