import type { z } from "zod";

/** The first thing that a schema found wrong, as one line that names the field: "config.guest.cpus: too small". */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "not valid";
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
