/** Makes and updates elements. Texts of peers are only ever set as text, never as HTML. */

/**
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`There is no element ${id}`);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Sets a text, but touches nothing where it is the same already: that would disturb screen readers
 * and selections.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Brings the children of a list to what it should hold, keeping those that stay.
 *
 * @template T
 * @param {Element} list
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Element} create
 * @param {(element: Element, item: T) => void} update
 */
export function syncList(list, items, keyOf, create, update) {
  const known = new Map(
    Array.from(list.children, (child) => [child.getAttribute("data-key"), child]),
  );
  let before = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = known.get(key);
    if (element === undefined) {
      element = create(item);
      element.setAttribute("data-key", key);
    }
    known.delete(key);
    update(element, item);
    if (element === before) before = before.nextElementSibling;
    else list.insertBefore(element, before);
  }
  for (const gone of known.values()) gone.remove();
}

/** A button for a row of a list: a name and two lines of facts; a click opens it. */
export function openButton() {
  return make(
    "button",
    { type: "button", class: "open" },
    make("span", { class: "name" }),
    make("span", { class: "facts" }),
    make("span", { class: "facts" }),
  );
}
