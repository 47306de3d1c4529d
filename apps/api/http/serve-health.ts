import type { FastifyInstance } from "fastify";
import type { HealthServer } from "#service";

/** The health paths, beside Nest's routes and without a token: they tell nothing about anybody's machines. */
export function serveHealth(fastify: FastifyInstance, health: HealthServer): void {
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    fastify.get(path, async (_request, reply) => {
      const { status, type, body } = await health.answer(path);
      return reply.status(status).header("content-type", type).send(body);
    });
  }
  // Every answer names its request, so that a log line and a report can be brought together.
  fastify.addHook("onSend", async (request, reply) => {
    reply.header("fly-request-id", request.id);
  });
}
