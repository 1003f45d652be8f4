/** Looks for what a module keeps between calls. */
import { withoutComments } from "./code.ts";

/** Classes whose instances keep nothing. */
const STATELESS = ["RegExp", "TextDecoder", "TextEncoder", "URL"];

/** What changes an array, a map, a set or a typed array. */
const CHANGES =
  "add|clear|copyWithin|delete|fill|length\\s*=[^=]|pop|push|reverse|set|shift|sort|splice|unshift";

/**
 * Names of the variables at the top level of a module, and of its classes' static ones, that it may
 * change: what is declared by `let`, instances of classes, and arrays, maps, objects and sets that it
 * changes itself.
 */
export function moduleState(code: string): string[] {
  // Inside of texts nothing is declared.
  const plain = withoutComments(code).replace(/`(?:[^`\\]|\\.)*`/g, "``");
  const found = [...plain.matchAll(/^(?:export\s+)?(?:let|var)\s+(\w+)/gm)].map(([, name]) =>
    name!
  );
  const constants =
    /^(?:export\s+)?const\s+(\w+)\s*(?::([^=]*(?:=>[^=]*)*))?=\s*(new\s+(\w+)|\[|\{|Array\b)?/gm;
  for (const [, name = "", type = "", value, of] of plain.matchAll(constants)) {
    if (value === undefined) continue;
    if (STATELESS.includes(of ?? "")) continue;
    const isContainer = of === undefined || /^(Map|Set|Array|\w+Array|ArrayBuffer)$/.test(of);
    if (isContainer ? isChanged(name, plain) : !type.trim().startsWith("Readonly")) {
      found.push(name);
    }
  }
  for (const [, name] of plain.matchAll(/^\s+static\s+(?!readonly\b|async\b)#?(\w+)\s*[=:;]/gm)) {
    found.push(name!);
  }
  return found;
}

function isChanged(name: string, code: string): boolean {
  return new RegExp(
    `\\b${name}\\s*(?:\\??\\.(?:${CHANGES})\\b\\s*\\(?|\\[[^\\]]*\\]!?\\s*(?:[-+*/|&^]|\\?\\?|<<|>>>?)?=[^=])`,
  ).test(code) || /^Weak/.test(code.match(new RegExp(`\\b${name}[^=]*= new (\\w+)`))?.[1] ?? "");
}
