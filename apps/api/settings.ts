import { z } from "zod";
import { SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";

/** The API's settings file. */
export const apiSettingsSchema = z.strictObject({
  clusterId: z.string().regex(SUBJECT_TOKEN),
  /** The region of creates that name none. */
  region: z.string().regex(SUBJECT_TOKEN),
  nats: natsSchema,
  monitorUrl: z.string(),
  listen: listenSchema,
  dataDir: z.string(),
  /** Where states of the past are kept, for whoever asks about them; in the data directory unless told. */
  timelineDir: z.string().optional(),
  /** Holds the local admin token. */
  adminTokenFile: z.string(),
  /** Postgres for the read model; PGlite in the data directory without it. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "not a postgres:// URL")
    .optional(),
  allowUnsafe: z.boolean().default(false),
});

/** Parsed once in `main`; also the token under which Nest injects it. */
export class ApiSettings implements z.infer<typeof apiSettingsSchema> {
  readonly clusterId!: string;
  readonly region!: string;
  readonly nats!: { readonly servers: string[]; readonly seedFile: string };
  readonly monitorUrl!: string;
  readonly listen!: { readonly host: string; readonly port: number };
  readonly dataDir!: string;
  readonly timelineDir?: string;
  readonly adminTokenFile!: string;
  readonly databaseUrl?: string;
  readonly allowUnsafe!: boolean;

  constructor(parsed: z.infer<typeof apiSettingsSchema>) {
    Object.assign(this, parsed);
  }
}
