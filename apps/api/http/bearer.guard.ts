import { type CanActivate, type ExecutionContext, Injectable } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import { RefusedError, refusal } from "#kernel";
import type { Tokens } from "../tokens/tokens.ts";
import { type Caller, setCaller } from "./caller.ts";

/** Lets a request in that carries a valid token: `Bearer <token>`, or `FlyV1 <token>` as Fly's clients send it. */
@Injectable()
export class BearerGuard implements CanActivate {
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    setCaller(request, authenticate(request.headers.authorization, this.#tokens));
    return true;
  }
}

/** Who sends this header. Throws a refusal `unauthorized`. */
export function authenticate(authorization: string | undefined, tokens: Tokens): Caller {
  const match = /^(?:Bearer|FlyV1)\s+(\S+)$/i.exec(authorization ?? "");
  const tokenId = match?.[1] === undefined ? undefined : tokens.verify(match[1]);
  if (tokenId !== undefined) return { tokenId, actor: `token:${tokenId}` };
  const message = match
    ? "the token is not valid (wrong, expired or revoked): make one with `drover token create`"
    : "a token is missing: send the header `Authorization: Bearer <token>`";
  throw new RefusedError(refusal("unauthorized", message));
}
