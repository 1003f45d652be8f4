/** Requests to the server that serves this page, with the viewers' token. */

/** The token came with the address; it is kept for this tab and taken out of the address. */
const address = new URL(location.href);
const given = address.searchParams.get("token");
if (given !== null) {
  sessionStorage.setItem("token", given);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
const token = sessionStorage.getItem("token");

/**
 * Loads the page anew with a token that the user typed in.
 *
 * @param {string} text
 */
export function useToken(text) {
  sessionStorage.setItem("token", text);
  location.reload();
}

/** The server asks for a token that the user has not given yet, or gave wrong. */
export class NotAllowed extends Error {}

/**
 * A path of the server → an address: the server may be mounted in a folder of another one.
 *
 * @param {string} path as the server knows it
 */
function urlOf(path) {
  return new URL(path.replace(/^\/?/, "./"), document.baseURI);
}

/** Whether the user gave a token: requests that change something need one. */
export const hasToken = token !== null;

/**
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function answer(path, init = {}) {
  const response = await fetch(urlOf(path), {
    cache: "no-store",
    signal: AbortSignal.timeout(5000),
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...init,
  });
  if (response.status === 401) throw new NotAllowed();
  return response;
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function ask(path) {
  return (await askList(path)).items;
}

/**
 * @param {string} path
 * @returns {Promise<{ items: any, total: number, at: number }>} `total`: listed or not; `at`: the time
 */
export async function askList(path) {
  const response = await answer(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return {
    items: await response.json(),
    total: Number(response.headers.get("x-total-count")),
    at: Number(response.headers.get("x-time-ms")),
  };
}

/**
 * Asks for a list that not all servers have.
 *
 * @param {string} path
 */
export function askAnyList(path) {
  return askList(path).catch((error) => {
    if (error instanceof NotAllowed) throw error;
    return { items: [], total: 0, at: 0 };
  });
}

/**
 * Removes the file at an address.
 *
 * @param {string} path
 */
export async function remove(path) {
  const response = await answer(path, { method: "DELETE" });
  if (!response.ok) throw new Error((await response.text()).trim());
}

/**
 * An address with the token in its query, for downloads and viewers that can't send a header.
 *
 * @param {string} path
 * @param {Record<string, string>} query
 */
export function withToken(path, query = {}) {
  const url = urlOf(path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (token !== null) url.searchParams.set("token", token);
  return url.href;
}
