/**
 * Whether a client takes gzip, and likes it no less than what is not compressed (RFC 9110, section
 * 12.5.3).
 *
 * @param header the request's `Accept-Encoding`
 */
export function acceptsGzip(header: string): boolean {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const [, weight = "1"] = parameters.map((text) => /^q\s*=\s*([\d.]+)$/.exec(text))
      .find((match) => match !== null) ?? [];
    weights.set(coding, Number(weight));
  }
  const gzip = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return gzip > 0 && gzip >= (weights.get("identity") ?? 0);
}
