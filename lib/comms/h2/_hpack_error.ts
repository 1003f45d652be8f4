/** A header block breaks RFC 7541: the connection's COMPRESSION_ERROR. */
export class HpackError extends Error {}
