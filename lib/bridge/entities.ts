/** What is known of an entity: the archetypes that its chunks have named so far. */
export interface Entity {
  /** The archetypes, the one named last first. */
  readonly archetypes: readonly string[];
}

/** Keys of all entities together, in characters; archetypes of one. */
const MAX_KEYS = 1 << 20;
const MAX_ARCHETYPES = 16;

const NO_ENTITY: Entity = { archetypes: [] };

/** Remembers the entities of a stream that were seen last, in bounded memory. */
export class Entities {
  readonly #known = new Map<string, Entity>();
  #keys = 0;

  /** What is known of an entity; a new object whenever that changes. */
  get(key: string): Entity {
    return this.#known.get(key) ?? NO_ENTITY;
  }

  /**
   * Adds archetypes that a chunk of an entity names.
   *
   * @param key names the entity and its store
   * @param archetypes archetypes of the entity
   * @returns what is known now
   */
  add(key: string, archetypes: readonly string[]): Entity {
    const known = this.get(key);
    const more = archetypes.filter((each) => !known.archetypes.includes(each));
    if (more.length === 0) return known;
    const entity = { archetypes: [...more, ...known.archetypes].slice(0, MAX_ARCHETYPES) };
    if (known === NO_ENTITY) this.#keys += key.length;
    this.#known.set(key, entity);
    for (const oldest of this.#known.keys()) {
      if (this.#keys <= MAX_KEYS) break;
      this.#known.delete(oldest);
      this.#keys -= oldest.length;
    }
    return entity;
  }
}
