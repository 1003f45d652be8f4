/**
 * The health service that Kubernetes' and other probes ask: `grpc.health.v1`.
 *
 * @module
 */
import { readMessage, string } from "../../encoding/protobuf/protobuf.ts";
import { proxyMethod } from "./message_proxy.ts";
import { GrpcError, STATUS } from "./status.ts";

/** The one method of it that is answered. */
export const HEALTH_CHECK = "/grpc.health.v1.Health/Check";

const [SERVING, NOT_SERVING] = [1, 2];

/**
 * Answers a probe.
 *
 * @param request `{1: service}`; an empty name asks for the server as a whole
 * @param isServing whether calls are taken, which ends with the server's shutdown
 * @returns the response `{1: status}`
 * @throws {GrpcError} NOT_FOUND for a service that is not here
 * @throws {InvalidMessage} if the request is damaged
 */
export function checkHealth(request: Uint8Array, isServing: boolean): Uint8Array {
  let service = "";
  readMessage(request, "HealthCheckRequest", { 1: string((value) => service = value) });
  if (service !== "" && proxyMethod(`/${service}/WriteMessages`) === undefined) {
    throw new GrpcError(STATUS.NOT_FOUND, `There is no service ${service.slice(0, 64)}`);
  }
  return Uint8Array.of(1 << 3, isServing ? SERVING : NOT_SERVING);
}
