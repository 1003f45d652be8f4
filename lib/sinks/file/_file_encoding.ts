import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { isNewProtobuf } from "../../encoding/rrd/same_encoding.ts";
import { compressedHeader, isCompressible } from "../../encoding/rrd/recompress.ts";

/**
 * Gives a text that is equal for messages that may share a file.
 *
 * @param header they came under
 * @param compresses whether messages are compressed before they are written, if they can be
 */
export function fileEncoding(header: RrdHeader, compresses: boolean): string {
  const { serializer, compression } = compresses && isCompressible(header)
    ? compressedHeader(header)
    : header;
  const since = isNewProtobuf(header) ? " as since Rerun 0.23" : "";
  return `${serializer}${since}, compression ${compression}`;
}
