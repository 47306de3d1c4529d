import type { ReplayApi } from "../api/replay-api.ts";
import { ApiTrouble } from "../api/trouble.ts";
import type { Player } from "./player.ts";

/** Who is away tells nobody when it is back: it has to be asked. */
const ASK_AGAIN_MS = 2_000;

/** Asks an API that went away until it answers, then goes on where the page was, or wished to be. */
export function reconnect(api: ReplayApi, player: Player, wished: () => string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async (): Promise<void> => {
    try {
      await api.extent();
      timer = undefined;
      player.recover();
      if (player.snapshot().empty) await player.seek(wished());
    } catch (error) {
      if (!(error instanceof ApiTrouble)) throw error;
      player.fail(error);
      timer = setTimeout(ask, ASK_AGAIN_MS);
    }
  };
  return player.subscribe(() => {
    if (timer === undefined && player.snapshot().trouble?.kind === "away")
      timer = setTimeout(ask, ASK_AGAIN_MS);
  });
}
