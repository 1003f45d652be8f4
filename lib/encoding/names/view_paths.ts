/**
 * Paths of views in blueprints of Rerun 0.17 to 0.20, which called them space views.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { T } from "../arrow/batch_arrays.ts";
import type { Recast } from "./recasts.ts";

/**
 * Today's path of a view: `space_view/ID/SpaceViewContents` becomes `view/ID/ViewContents`.
 *
 * @param path in a blueprint, with a `/` before it or without
 */
export function todaysViewPath(path: string): string {
  return path.replace(/^(\/?)space_view\/([^/]+)/, "$1view/$2")
    .replace(/^(\/?view\/[^/]+)\/SpaceViewContents(?=\/|$)/, "$1/ViewContents");
}

/** Rewrites texts that are such paths. */
export const SPACE_VIEW_PATHS: Recast = {
  types: (column) =>
    column.type === T.LIST && column.children[0]?.type === T.UTF8
      ? [{ component: column.name, type: column }]
      : undefined,
  arrays(column) {
    const texts = column.children[0]!;
    const [bitmap, offsets, data] = texts.buffers as [Uint8Array, Uint8Array, Uint8Array];
    if (4 * (texts.length + 1) > offsets.length) {
      throw new InvalidMessage("A column of texts has fewer Arrow offsets than rows");
    }
    const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.length);
    const moved = new Uint8Array(4 * (texts.length + 1));
    const ends = new DataView(moved.buffer);
    const pieces: Uint8Array[] = [];
    let end = 0;
    for (let i = 0; i < texts.length; i++) {
      const [from, to] = [view.getInt32(4 * i, true), view.getInt32(4 * i + 4, true)];
      // Each text must lie behind the one before: so peers can't claim more text than they sent.
      if (from < 0 || to < from || to > data.length || end > data.length) {
        throw new InvalidMessage("An Arrow text reaches beyond its column's data");
      }
      const piece = utf8.encode(todaysViewPath(text.decode(data.subarray(from, to))));
      pieces.push(piece);
      end += piece.length;
      ends.setInt32(4 * i + 4, end, true);
    }
    const written = new Uint8Array(end);
    let at = 0;
    for (const piece of pieces) {
      written.set(piece, at);
      at += piece.length;
    }
    return [{ ...column, children: [{ ...texts, buffers: [bitmap, moved, written] }] }];
  },
};

const text = new TextDecoder();
const utf8 = new TextEncoder();
