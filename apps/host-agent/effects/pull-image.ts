import { z } from "zod";
import { TerminalError } from "#kernel";
import type { Effect } from "#operations";
import type { ImageStore } from "#runtime";

const input = z.object({ image: z.string() });

/**
 * Brings the image. A store without room first lets go of whatever no machine uses (F34): images are kept only to
 * spare a pull.
 */
export function pullImage(images: ImageStore, inUse: () => Iterable<string>): Effect {
  return async ({ step, signal }) => {
    const { image } = input.parse(step.input);
    const pulled = await images.pull(image, signal).catch(async (thrown: unknown) => {
      if (!(thrown instanceof TerminalError) || thrown.code !== "disk_full") throw thrown;
      await images.prune(inUse());
      return images.pull(image, signal);
    });
    return { digest: pulled.digest };
  };
}
