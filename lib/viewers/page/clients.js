/** The table of clients. */
import { byId, make, setText, syncList } from "./dom.js";
import { formatCount, formatLatency, formatRate } from "./format.js";

/** More rows than this would only slow the page down. */
const MAX_ROWS = 100;

/**
 * @typedef {{ id: number, addr: string, latencySec: number, acceptRate: number, messages: number,
 *   bytes: number }} Client
 */

/**
 * @param {Client[]} clients
 * @param {(client: Client) => number[]} ratesOf messages and bytes a second
 */
export function showClients(clients, ratesOf) {
  byId("no-clients").hidden = clients.length > 0;
  byId("clients").closest("table").hidden = clients.length === 0;
  const more = clients.length - MAX_ROWS;
  byId("more-clients").hidden = more <= 0;
  setText(byId("more-clients"), `${formatCount(more)} more are not listed.`);
  syncList(
    byId("clients"),
    clients.slice(0, MAX_ROWS),
    ({ id }) => String(id),
    () => make("tr", {}, make("td"), make("td"), make("td"), make("td")),
    (row, client) => {
      const [messages = 0, bytes = 0] = ratesOf(client);
      const texts = [
        client.addr.replace(/^tcp:\/\//, ""),
        formatCount(messages),
        formatRate(bytes),
        formatLatency(client.latencySec),
      ];
      for (const [i, text] of texts.entries()) {
        setText(/** @type {Element} */ (row.children[i]), text);
      }
      row.setAttribute("title", `${client.addr}, accepts ${Math.round(client.acceptRate * 100)} %`);
    },
  );
}
