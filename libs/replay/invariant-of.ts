import { RefusedError, refusal } from "#kernel";
import { expressionInvariant } from "./expression.ts";
import type { Invariant } from "./invariants/invariant.ts";
import { INVARIANTS, ON_REQUEST } from "./invariants/library.ts";

const NAMED: readonly Invariant[] = [...INVARIANTS, ...ON_REQUEST];

/** The invariant of this name, or what an expression says. Throws a refusal that says what is wrong with it. */
export function invariantOf(nameOrExpression: string): Invariant {
  const text = nameOrExpression.trim();
  const known = NAMED.find(({ name }) => name === text);
  if (known !== undefined) return known;
  if (!/^[a-z0-9-]*$/i.test(text)) return expressionInvariant(text);
  const names = NAMED.map(({ name }) => name).join(", ");
  const message = `no invariant is called "${text}": there are ${names}; or write one, like machine.state != "failed"`;
  throw new RefusedError(refusal("not_found", message));
}
