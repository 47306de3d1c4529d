import type { Session } from "../session.ts";

/** Marks the moment shown. */
export function markNow({ link, player }: Session, mark: "a" | "b"): void {
  const { empty, moment } = player.snapshot();
  if (!empty) link.push({ [mark]: moment });
}
