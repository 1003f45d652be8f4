/**
 * Recordings by NATS JetStream: sent by many boxes, received by any number of servers.
 *
 * @module
 */
export { type FromNats, fromNats, type FromNatsOptions } from "../server/from_nats.ts";
export type { FromNatsStats } from "../server/from_nats.ts";
export type { FleetBox, FleetRecording } from "../server/nats_fleet.ts";
export type { NatsIntakeStats } from "../server/nats_intake_stats.ts";
export type { NatsReadingStats } from "../server/nats_reading.ts";
export type { NatsNote } from "../server/nats_note.ts";
export type { NatsCredentials } from "../nats/connection.ts";
export type { SubjectFilter } from "../nats/subjects.ts";
export { natsTarget, type NatsTargetOptions } from "./nats_target.ts";
