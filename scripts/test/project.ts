import { fileURLToPath } from "node:url";

/** The repository's root, absolute. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
