/**
 * Whether an Arrow IPC stream is whole, as far as can be told without checksums.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { UnknownArrowType } from "./_arrow_columns.ts";
import { checkFrame } from "./_arrow_frame.ts";
import { isEndOfStream, readIpcMessage } from "./_ipc_message.ts";

import { KnownFrames } from "./_known_frames.ts";

const KNOWN = new KnownFrames();

/**
 * Looks at all that a reader goes by: frame, lengths, offsets, texts. Of types that are not known only
 * the frame, for later versions of Rerun may write them.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it is damaged
 */
export function checkArrowWhole(ipc: Uint8Array): void {
  checkArrowEnd(ipc);
  try {
    checkFrame(ipc, KNOWN, true);
  } catch (error) {
    if (!(error instanceof UnknownArrowType)) throw error;
  }
}

/**
 * Walks over an Arrow IPC stream, which must end with its end marker, or with its last message.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it does not end there
 */
function checkArrowEnd(ipc: Uint8Array): void {
  let at = 0;
  while (at < ipc.length) {
    if (at > 0 && isEndOfStream(ipc, at)) {
      if (at + 8 === ipc.length) return;
      throw new InvalidMessage(`An Arrow IPC stream ends ${ipc.length - at - 8} bytes too early`);
    }
    const { bodyAt, bodyBytes } = readIpcMessage(ipc, at);
    at = bodyAt + bodyBytes;
  }
  if (at !== ipc.length) throw new InvalidMessage("An Arrow IPC stream is cut short");
}
