/**
 * Uploads recordings to object storage that speaks S3.
 *
 * @module
 */
export { type S3Credentials, s3Target, type S3TargetOptions } from "./s3_target.ts";
