/**
 * Decides who may ask, so that no web page of somebody else can read a robot's camera through the
 * user's browser.
 *
 * A page of another origin is recognised by its `Origin`, and one whose name was pointed at this
 * machine (DNS rebinding) by the `Host` that it asks for.
 *
 * @module
 */
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../../base/check_arguments.ts";
import { checkText, checkTexts, secretText } from "../../base/check_options.ts";
import { isLoopback, withoutZone } from "../../base/net_addr.ts";
import { textResponse } from "../../base/text_response.ts";

/** Who may ask besides programs on this machine. */
export interface GuardOptions {
  /** The address that is listened on; a wildcard (`0.0.0.0`, `::`) allows every IP address, but no name. */
  readonly hostname?: string;
  /** Host names and addresses that may be asked for, besides those of loopback. */
  readonly allowHosts?: readonly string[];
  /** Origins of other pages that may read, such as `https://example.com`. */
  readonly allowOrigins?: readonly string[];
  /** Port of the page, whose origin may open the WebSocket on another port. */
  readonly pagePort?: () => number | undefined;
  /**
   * The token that viewers must know; without spaces, since it is used in addresses and headers. Left
   * out, none is needed; `undefined` is refused, as it comes of an environment variable that is not set.
   */
  readonly token?: string;
}

const NAMES: OptionNames<GuardOptions> = {
  ...{ hostname: true, allowHosts: true, allowOrigins: true, pagePort: true, token: true },
};

/** The parts of a request that are looked at. */
export type GuardedRequest = Pick<Request, "url" | "headers">;

/** Name of the cookie with the token, for the page's viewer, which can't send headers. */
export function tokenCookieName(url: string): string {
  // With the port in its name: browsers share cookies between all ports of a host, and several
  // servers would overwrite each other's.
  return `rerelay-token-${new URL(url).port || 80}`;
}

/** Decides on requests. */
export interface Guard {
  /**
   * Checks where a request comes from, and which host it asks.
   *
   * @returns the answer that refuses it; `undefined` if it may pass
   */
  refuse(request: GuardedRequest): Response | undefined;
  /**
   * Checks the token.
   *
   * @param request whose header or query may have it
   * @param orCookie whether its cookie may have it, too; only safe where pages of other ports can't
   * ask
   * @returns the answer that refuses the request; `undefined` if it has the token or none is needed
   */
  refuseToken(request: GuardedRequest, orCookie?: boolean): Response | undefined;
  /**
   * The cookie for a page that has sent the token in a header or its address. Scripts can't see it,
   * and browsers do not send it for pages of other sites.
   *
   * @returns `undefined` if no token is needed, or the request does not have the right one
   */
  tokenCookie(request: GuardedRequest): string | undefined;
}

/**
 * A guard for the HTTP app and the WebSocket relay.
 *
 * @param options without any, only programs and pages of this machine may ask
 * @throws {TypeError} if an origin, a host or a token is none (an `undefined` one, too), or there is no
 * such option
 * @throws {RangeError} if hosts or origins are no lists
 *
 * @example
 * ```ts
 * import { viewerGuard } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const guard = viewerGuard({ token: "secret" });
 * const status = (url: string, init?: RequestInit) => {
 *   const request = new Request(url, init);
 *   return (guard.refuse(request) ?? guard.refuseToken(request))?.status;
 * };
 * assertEquals(status("http://localhost:9090/recordings?token=secret"), undefined);
 * assertEquals(status("http://localhost:9090/recordings"), 401);
 * assertEquals(status("http://rebound.example:9090/recordings?token=secret"), 421);
 * assertEquals(status("http://localhost:9090/", { headers: { origin: "http://a.example" } }), 403);
 * ```
 */
export function viewerGuard(options: GuardOptions = {}): Guard {
  checkOptions("viewerGuard", options, NAMES);
  checkCallable(options, ["pagePort"]);
  const { hostname = "127.0.0.1", allowHosts = [], allowOrigins = [], pagePort, token } = options;
  checkText("hostname", hostname);
  checkTexts("allowHosts", allowHosts, '["robot.local"]');
  checkTexts("allowOrigins", allowOrigins, '["https://example.com"]');
  const hosts = new Set([hostname, ...allowHosts].map(hostOf));
  const origins = new Set(allowOrigins.map(originOf));
  const anyAddress = hosts.has("0.0.0.0") || hosts.has("[::]");
  // One that is passed and is none comes of an environment that lacks it: it must not let everybody in.
  if ("token" in options && (typeof token !== "string" || !/^\S+$/.test(token))) {
    const hint = token === undefined ? "; leave it out where none is needed" : "";
    throw new TypeError(
      `token must be a text without spaces that is not empty, not ${tokenText(token)}${hint}`,
    );
  }
  const secret = token === undefined ? undefined : new TextEncoder().encode(token);
  const allowsHost = (name: string) =>
    hosts.has(name) || isLoopback(name) || (anyAddress && isAddress(name));

  return {
    refuse(request) {
      const asked = new URL(request.url);
      const host = request.headers.get("host") ?? asked.host;
      const name = URL.canParse(`http://${withoutZone(host)}`) ? hostOf(host) : "";
      if (!allowsHost(name)) {
        const text = "This host name is not served here (--allow-host NAME, option allowHosts)";
        return textResponse(421, text);
      }
      const origin = request.headers.get("origin");
      if (origin === null && !isEmbedded(request) || origins.has(origin!)) return undefined;
      const from = origin !== null && URL.canParse(origin) ? new URL(origin) : undefined;
      const port = pagePort?.();
      const isOwn = from?.protocol === "http:" && (from.host === asked.host ||
        (allowsHost(hostOf(from.host)) && Number(from.port || 80) === port));
      if (isOwn) return undefined;
      const text = "Pages of this origin may not read here (--allow-origin, option allowOrigins)";
      return textResponse(403, text);
    },
    tokenCookie(request) {
      if (token === undefined || this.refuseToken(request) !== undefined) return undefined;
      const name = tokenCookieName(request.url);
      return `${name}=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`;
    },
    refuseToken(request, orCookie = false) {
      if (secret === undefined) return undefined;
      const given = tokenOf(request) ?? (orCookie ? tokenInCookie(request) : undefined);
      if (given !== undefined && isSame(new TextEncoder().encode(given), secret)) return undefined;
      const text = given === undefined
        ? "A token is needed: ?token=… or Authorization: Bearer … (--viewer-token-file)"
        : TOKEN_WRONG;
      return textResponse(401, text, { "www-authenticate": "Bearer" });
    },
  };
}

/** What somebody is told who gave another token. */
export const TOKEN_WRONG = "This is not the token that is needed (--viewer-token-file)";

/** What an error says of a token that is wrong: nothing of what is in it. */
function tokenText(token: unknown): string {
  if (typeof token !== "string") return secretText(token);
  return token === "" ? "an empty one" : "one with spaces";
}

/** The token in the header or in the address. */
function tokenOf({ url, headers }: GuardedRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  // Undone here: queries decode a plus sign as a space, and a token may have plus signs but no
  // spaces.
  return bearer ?? new URL(url).searchParams.get("token")?.replaceAll(" ", "+");
}

function tokenInCookie({ url, headers }: GuardedRequest): string | undefined {
  const name = `${tokenCookieName(url)}=`;
  const cookies = headers.get("cookie")?.split(/; */) ?? [];
  const value = cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length).trim();
  try {
    return value && decodeURIComponent(value);
  } catch {
    return undefined; // not one of ours
  }
}

/**
 * Whether another site embeds it: images and scripts are requested without `Origin`, but with
 * `Sec-Fetch-Site`.
 */
function isEmbedded({ headers }: GuardedRequest): boolean {
  return headers.get("sec-fetch-site") === "cross-site" &&
    headers.get("sec-fetch-mode") !== "navigate";
}

/** Compares in a time that depends only on what was given. */
function isSame(given: Uint8Array, secret: Uint8Array): boolean {
  let difference = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) difference |= given[i]! ^ secret[i % secret.length]!;
  return difference === 0;
}

/**
 * A host as in URLs: in lower case, IPv6 in brackets, without port, final dot and zone (which
 * interface leads here matters only to the client, RFC 6874).
 */
function hostOf(text: string): string {
  const host = withoutZone(text);
  const isBare6 = host.split(":").length > 2 && !host.startsWith("[");
  return new URL(`http://${isBare6 ? `[${host}]` : host}`).hostname.replace(/\.$/, "");
}

function originOf(text: string): string {
  const { origin } = new URL(text);
  if (origin === "null") {
    throw new TypeError(`${text} is not an origin such as https://example.com`);
  }
  return origin;
}

/** Whether it is an IP address, which can't be pointed elsewhere as a name can. */
function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name);
}

/**
 * Refuses what is not a guard; one that is left out is not looked at.
 *
 * @param taker the function that takes one
 * @param guard what was passed
 * @throws {TypeError} that names the function
 */
export function checkGuard(taker: string, guard: unknown): void {
  const isGuard = guard === undefined || hasMethods(guard, "refuse", "refuseToken", "tokenCookie");
  checkGiven(taker, "a guard, as viewerGuard() gives", isGuard, guard);
}
