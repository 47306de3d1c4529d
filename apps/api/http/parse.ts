import type { z } from "zod";
import { RefusedError, refusal } from "#kernel";

/** Checks what came in by its schema. Throws a refusal `invalid` that names the first wrong field. */
export function parse<S extends z.ZodType>(schema: S, input: unknown, what: string): z.infer<S> {
  const checked = schema.safeParse(input);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const field = issue?.path.length ? issue.path.map(String).join(".") : what;
  throw new RefusedError(refusal("invalid", `${field}: ${issue?.message ?? "not valid"}`));
}
