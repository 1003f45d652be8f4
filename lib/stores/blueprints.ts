/**
 * Which blueprints go with which recording. A client's blueprints go with the recordings that it logs;
 * those of a client that logs none of their application go with all of it that others log.
 *
 * @module
 */
import { forgetOldest } from "../base/forget_oldest.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { BlueprintRoles } from "./blueprint_roles.ts";

/** Applications that are remembered; the one longest without a blueprint goes first. */
const MAX_APPLICATIONS = 1000;
/** How many applications, and how many recordings, of one client are remembered. */
const MAX_OF_CLIENT = 100;

interface Application<B> {
  /** Of all clients: what recordings begin with that have none of their own. */
  readonly latest: BlueprintRoles<B>;
  /** Of clients that log no recording of the application. */
  readonly shared: BlueprintRoles<B>;
  /** What such clients sent that may still be for a recording they are about to log. */
  readonly undecided: Map<number, { readonly roles: BlueprintRoles<B>; readonly since: number }>;
}

interface Client<R, B> {
  /** By application. */
  readonly sent: Map<string, BlueprintRoles<B>>;
  /** With their applications, the one logged to last at the end. */
  readonly recordings: Map<R, string>;
}

/** The blueprints of all clients; `R` is what a recording is, `B` what a blueprint is. */
export class Blueprints<R extends object, B> {
  /** Counts up when something changes. */
  version = 0;

  readonly #onForgotten: (blueprint: B) => void;
  readonly #applications = new Map<string, Application<B>>();
  readonly #clients = new Map<number, Client<R, B>>();
  /** What goes with each recording, and how many connected clients log it. */
  readonly #recordings = new WeakMap<R, { readonly own: BlueprintRoles<B>; clients: number }>();
  /** How many applications and clients hold each. */
  readonly #holds = new Map<B, number>();
  #undecided = 0;
  #count = 0;

  /** @param onForgotten told of each blueprint that newer ones have replaced everywhere */
  constructor(onForgotten: (blueprint: B) => void = () => {}) {
    this.#onForgotten = onForgotten;
  }

  /** Blueprints that are remembered. */
  get size(): number {
    return this.#holds.size;
  }

  /** Whether there is something to {@linkcode Blueprints.decide}. */
  get isUndecided(): boolean {
    return this.#undecided > 0;
  }

  /** Whether a connected client logs a recording. */
  isLogged(recording: R): boolean {
    return (this.#recordings.get(recording)?.clients ?? 0) > 0;
  }

  /** Takes note that a client logs a recording of an application. */
  logs(clientId: number, recording: R, application: string): void {
    const client = this.#client(clientId);
    const before = client.recordings.get(recording);
    client.recordings.delete(recording);
    client.recordings.set(recording, application);
    if (before === application) return;
    const known = this.#recordings.get(recording) ??
      { own: new BlueprintRoles<B>(), clients: 0 };
    this.#recordings.set(recording, known);
    if (before === undefined) known.clients++;
    for (const [gone] of forgetOldest(client.recordings, MAX_OF_CLIENT)) this.#lessClients(gone);
    const sent = client.sent.get(application);
    const from = this.#applications.get(application);
    if (from?.undecided.delete(clientId)) this.#undecided--;
    if (sent !== undefined) known.own.merge(sent);
    else if (known.own.isEmpty && from !== undefined) known.own.merge(from.latest);
    this.version++;
  }

  /**
   * Takes note of a message of a blueprint.
   *
   * @param clientId whose message it is
   * @param application whose blueprint it is
   * @param now monotonic milliseconds
   * @returns the client's recording of that application that it logged to last
   */
  note(
    clientId: number,
    application: string,
    msg: LogMsg,
    blueprint: B,
    now: number,
  ): R | undefined {
    const at = ++this.#count;
    this.version++;
    const client = this.#client(clientId);
    const { latest, undecided } = this.#application(application);
    const sent = client.sent.get(application) ?? new BlueprintRoles<B>();
    client.sent.delete(application);
    client.sent.set(application, sent);
    this.#change(sent, () => sent.note(msg, blueprint, at));
    this.#change(latest, () => latest.note(msg, blueprint, at));
    for (const [name, gone] of forgetOldest(client.sent, MAX_OF_CLIENT)) {
      this.#decide(name, clientId);
      for (const each of gone.all) this.#release(each);
    }
    let last: R | undefined;
    for (const [recording, its] of client.recordings) {
      if (its !== application) continue;
      this.#recordings.get(recording)!.own.note(msg, blueprint, at);
      last = recording;
    }
    if (last === undefined && !undecided.has(clientId)) {
      this.#undecided++;
      undecided.set(clientId, { roles: sent, since: now });
    }
    return last;
  }

  /**
   * Gives all recordings the blueprints that came before a time from clients which have logged no
   * recording of that application since.
   */
  decide(before: number): void {
    if (this.#undecided === 0) return;
    for (const [name, { undecided }] of this.#applications) {
      for (const [client, { since }] of undecided) if (since <= before) this.#decide(name, client);
    }
  }

  /** Takes note that a client has left. */
  quit(clientId: number): void {
    const client = this.#clients.get(clientId);
    if (client === undefined) return;
    this.#clients.delete(clientId);
    for (const recording of client.recordings.keys()) this.#lessClients(recording);
    for (const [application, sent] of client.sent) {
      this.#decide(application, clientId);
      for (const blueprint of sent.all) this.#release(blueprint);
    }
  }

  /**
   * What goes with a recording.
   *
   * @param withUndecided also what may turn out to be for another
   */
  of(recording: R, application: string, withUndecided = false): BlueprintRoles<B> {
    const roles = new BlueprintRoles<B>();
    const from = this.#applications.get(application);
    const own = this.#recordings.get(recording)?.own;
    if (own !== undefined) roles.merge(own);
    if (from === undefined) return roles;
    roles.merge(from.shared);
    if (withUndecided) { for (const each of from.undecided.values()) roles.merge(each.roles); }
    return roles;
  }

  /** The latest of an application, whoever sent them. */
  latest(application: string): BlueprintRoles<B> {
    return this.#applications.get(application)?.latest ?? new BlueprintRoles();
  }

  #client(id: number): Client<R, B> {
    let client = this.#clients.get(id);
    if (client === undefined) {
      this.#clients.set(id, client = { sent: new Map(), recordings: new Map() });
    }
    return client;
  }

  #application(name: string): Application<B> {
    const known = this.#applications.get(name) ??
      { latest: new BlueprintRoles<B>(), shared: new BlueprintRoles<B>(), undecided: new Map() };
    this.#applications.delete(name);
    this.#applications.set(name, known);
    for (const [, gone] of forgetOldest(this.#applications, MAX_APPLICATIONS)) {
      this.#undecided -= gone.undecided.size;
      for (const blueprint of [...gone.latest.all, ...gone.shared.all]) this.#release(blueprint);
    }
    return known;
  }

  #lessClients(recording: R): void {
    this.#recordings.get(recording)!.clients--;
  }

  #decide(application: string, clientId: number): void {
    const from = this.#applications.get(application);
    const sent = from?.undecided.get(clientId);
    if (from === undefined || sent === undefined) return;
    from.undecided.delete(clientId);
    this.#undecided--;
    this.#change(from.shared, () => from.shared.merge(sent.roles));
    this.version++;
  }

  #change(roles: BlueprintRoles<B>, change: () => void): void {
    const before = roles.all;
    change();
    for (const blueprint of roles.all) {
      this.#holds.set(blueprint, (this.#holds.get(blueprint) ?? 0) + 1);
    }
    for (const blueprint of before) this.#release(blueprint);
  }

  #release(blueprint: B): void {
    const holds = this.#holds.get(blueprint)! - 1;
    if (holds > 0) this.#holds.set(blueprint, holds);
    else {
      this.#holds.delete(blueprint);
      this.#onForgotten(blueprint);
    }
  }
}
