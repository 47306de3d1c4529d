import type { ReplayApi } from "../api/replay-api.ts";
import { ApiTrouble } from "../api/trouble.ts";
import type { Player } from "./player.ts";

/** Who is away tells nobody when it is back: it has to be asked. */
const ASK_AGAIN_MS = 2_000;

/** Asks an API that went away until it answers, then calls back. */
export function reconnect(api: ReplayApi, player: Player, onBack: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async (): Promise<void> => {
    try {
      await api.extent();
      timer = undefined;
      player.recover();
      onBack();
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
