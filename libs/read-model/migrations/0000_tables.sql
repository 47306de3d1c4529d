CREATE TABLE "apps" (
	"name" text PRIMARY KEY NOT NULL,
	"id" text NOT NULL,
	"org_slug" text NOT NULL,
	"network" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"deleted" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "generation" (
	"id" integer PRIMARY KEY NOT NULL,
	"shape" text NOT NULL,
	"revision" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"events" bigint NOT NULL,
	"quarantined" bigint NOT NULL,
	"completed_at_ms" bigint,
	"completed_events" bigint,
	"cursors" json
);
--> statement-breakpoint
CREATE TABLE "hostnames" (
	"hostname" text PRIMARY KEY NOT NULL,
	"app_name" text NOT NULL,
	"app_id" text NOT NULL,
	"claimed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "hosts" (
	"log" text PRIMARY KEY NOT NULL,
	"host_id" text NOT NULL,
	"cluster_id" text NOT NULL,
	"region" text NOT NULL,
	"subnet" text NOT NULL,
	"agent_epoch" integer NOT NULL,
	"boot_id" text NOT NULL,
	"cpu_millis" bigint NOT NULL,
	"memory_mib" bigint NOT NULL,
	"max_machines" integer NOT NULL,
	"features" json NOT NULL,
	"cordon" json
);
--> statement-breakpoint
CREATE TABLE "machine_events" (
	"log" text NOT NULL,
	"sequence" bigint NOT NULL,
	"machine_id" text NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"clock" text NOT NULL,
	"actor" text NOT NULL,
	"correlation_id" text NOT NULL,
	"state" text NOT NULL,
	"instance_id" text NOT NULL,
	"origin" text,
	"exit" json,
	"error" json,
	CONSTRAINT "machine_events_log_sequence_pk" PRIMARY KEY("log","sequence")
);
--> statement-breakpoint
CREATE TABLE "machines" (
	"log" text NOT NULL,
	"id" text NOT NULL,
	"app_name" text NOT NULL,
	"name" text NOT NULL,
	"region" text NOT NULL,
	"epoch" integer NOT NULL,
	"state" text NOT NULL,
	"ended" boolean NOT NULL,
	"instance_id" text NOT NULL,
	"metadata" jsonb NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"updated_at_ms" bigint NOT NULL,
	"body" json NOT NULL,
	CONSTRAINT "machines_log_id_pk" PRIMARY KEY("log","id")
);
--> statement-breakpoint
CREATE TABLE "placements" (
	"machine_id" text PRIMARY KEY NOT NULL,
	"app_name" text NOT NULL,
	"epoch" integer NOT NULL,
	"region" text,
	"host_id" text,
	"refused_as" text
);
--> statement-breakpoint
CREATE TABLE "positions" (
	"log" text PRIMARY KEY NOT NULL,
	"host_id" text,
	"applied" bigint NOT NULL,
	"known" bigint NOT NULL,
	"succeeded" boolean NOT NULL,
	"fleet_sequence" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quarantined" (
	"log" text NOT NULL,
	"sequence" bigint NOT NULL,
	"reason" text NOT NULL,
	"detail" text NOT NULL,
	"subject" text NOT NULL,
	"type" text,
	CONSTRAINT "quarantined_log_sequence_pk" PRIMARY KEY("log","sequence")
);
--> statement-breakpoint
CREATE TABLE "registrations" (
	"host_id" text PRIMARY KEY NOT NULL,
	"region" text NOT NULL,
	"log" text NOT NULL,
	"stream" text NOT NULL,
	"domain" text NOT NULL,
	"registered_at_ms" bigint NOT NULL,
	"former_logs" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "successions" (
	"log" text NOT NULL,
	"host_id" text NOT NULL,
	CONSTRAINT "successions_log_host_id_pk" PRIMARY KEY("log","host_id")
);
--> statement-breakpoint
CREATE INDEX "machine_events_by_machine" ON "machine_events" USING btree ("machine_id","clock");--> statement-breakpoint
CREATE INDEX "machines_by_id" ON "machines" USING btree ("id");--> statement-breakpoint
CREATE INDEX "machines_by_app" ON "machines" USING btree ("app_name");--> statement-breakpoint
CREATE INDEX "machines_by_update" ON "machines" USING btree ("updated_at_ms","id");