/**
 * HTTP responses of one line of text.
 *
 * @module
 */

/**
 * A response of one line. Its type is set here, for Bun sets it only where its own server answers:
 * `bun -e 'console.log(new Response("a").headers.get("content-type"))'` writes `null`.
 *
 * @param status of HTTP
 * @param line without its end
 * @param headers besides the type
 */
export function textResponse(
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${line}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
