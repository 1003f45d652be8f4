/**
 * Which blueprints of an application are needed: viewers show the active one, and go back to the
 * default one when the user resets the layout.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";

/** What a blueprint can be to its application. */
const ROLES = ["sending", "active", "default"] as const;

interface Held<B> {
  readonly blueprint: B;
  /** When it got the role, as a number that counts up. */
  readonly at: number;
}

/** At most three blueprints: the active one, the default one, and one that nobody has activated yet. */
export class BlueprintRoles<B> {
  readonly #roles = new Map<typeof ROLES[number], Held<B>>();

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#roles.size === 0;
  }

  /** Each of them once, in the order in which they got their last roles. */
  get all(): B[] {
    return this.#inOrder(ROLES);
  }

  /** Those that were activated. */
  get activated(): B[] {
    return this.#inOrder(["active", "default"]);
  }

  /**
   * Takes note of a message of a blueprint.
   *
   * @param msg an activation gives roles; anything else says that the blueprint is being sent
   * @param blueprint whose it is
   * @param at when it came; counts up
   */
  note(msg: LogMsg, blueprint: B, at: number): void {
    const held = { blueprint, at };
    if (msg.kind !== "BlueprintActivationCommand") {
      if (!this.activated.includes(blueprint)) this.#roles.set("sending", held);
      return;
    }
    if (msg.makeActive) this.#roles.set("active", held);
    if (msg.makeDefault) this.#roles.set("default", held);
    if (!this.activated.includes(blueprint)) this.#roles.set("sending", held);
    else if (this.#roles.get("sending")?.blueprint === blueprint) this.#roles.delete("sending");
  }

  /** Takes over each role that was given later in others. */
  merge(others: BlueprintRoles<B>): void {
    for (const [role, held] of others.#roles) {
      if (held.at > (this.#roles.get(role)?.at ?? -1)) this.#roles.set(role, held);
    }
  }

  #inOrder(roles: readonly typeof ROLES[number][]): B[] {
    const held = roles.flatMap((role) => this.#roles.get(role) ?? []);
    held.sort((a, b) => a.at - b.at);
    // The last role of a blueprint decides where it stands.
    const last = new Set<B>();
    for (const { blueprint } of held) {
      last.delete(blueprint);
      last.add(blueprint);
    }
    return [...last];
  }
}
