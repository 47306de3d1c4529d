import { RefusedError } from "#kernel";
import type { ApiClient } from "./api-client.ts";

/** Makes the app where there is none of that name. */
export async function ensureApp(api: ApiClient, name: string): Promise<void> {
  try {
    await api.create<{ id: string }>("/v1/apps", "id", { name, org_slug: "personal" });
  } catch (thrown) {
    if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") throw thrown;
  }
}
