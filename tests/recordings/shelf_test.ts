import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { type Shelf, type ShelvedFile, Shelves } from "../../lib/recordings/shelf.ts";

/** A shelf of files whose content is where they are. */
function shelfOf(folder: string, names: string[], isOurs = false) {
  const files = memoryFiles();
  let lists = 0;
  const shelf: Shelf = {
    list() {
      lists++;
      return Promise.resolve(names.map((name): ShelvedFile => ({
        ...{ name, path: `/${folder}/${name}`, bytes: 1, state: "closed", isOurs },
      })));
    },
    async open(name) {
      if (!names.includes(name)) return "missing";
      if (files.read(name) === undefined) await (await files.create(name, "new")).close();
      return { file: await files.openAt(name), bytes: 1, version: `/${folder}/${name}` };
    },
    remove(name) {
      if (!names.includes(name)) return Promise.resolve("missing");
      if (!isOurs) return Promise.resolve("foreign");
      names.splice(names.indexOf(name), 1);
      return Promise.resolve("removed");
    },
  };
  return { shelf, names, lists: () => lists };
}

async function opened(shelves: Shelves, name: string): Promise<string> {
  const found = await shelves.open(name);
  if (typeof found === "string") return found;
  await found.file.close();
  return found.version;
}

describe("Shelves", () => {
  it("give under each name what is listed under it, however names look", async () => {
    const shelves = new Shelves();
    shelves.add(shelfOf("saved", ["x.rrd"], true).shelf);
    shelves.add(shelfOf("given", ["x.rrd", "(2) x.rrd", "(2) (2) x.rrd", "y.rrd"]).shelf);
    shelves.add(shelfOf("more", ["y.rrd", "x.rrd"]).shelf);
    const all = await shelves.list();
    assertEquals(new Set(all.map(({ name }) => name)).size, 7);
    for (const { name, path } of all) assertEquals(await opened(shelves, name), path, name);
    assertEquals(all.filter(({ name }) => !name.startsWith("(2) ")).map(({ path }) => path), [
      ...["/saved/x.rrd", "/given/y.rrd"],
    ]);
  });

  it("know what came after they were listed, without listing all for each name", async () => {
    const saved = shelfOf("saved", ["a.rrd"], true);
    const shelves = new Shelves();
    shelves.add(saved.shelf);
    shelves.add(shelfOf("given", ["b.rrd"]).shelf);
    assertEquals(await opened(shelves, "b.rrd"), "/given/b.rrd");
    saved.names.push("c.rrd");
    assertEquals(await opened(shelves, "c.rrd"), "/saved/c.rrd");
    const before = saved.lists();
    for (let i = 0; i < 10; i++) await opened(shelves, "c.rrd");
    assertEquals(saved.lists(), before);
    assertEquals(await opened(shelves, "none.rrd"), "missing");
  });

  it("remove what is listed under a name, and then give what else has it", async () => {
    const saved = shelfOf("saved", ["(2) x.rrd", "x.rrd"], true);
    const shelves = new Shelves();
    shelves.add(shelfOf("given", ["x.rrd"]).shelf);
    shelves.add(saved.shelf);
    const all = await shelves.list();
    assertEquals(all.map(({ path }) => path), [
      ...["/given/x.rrd", "/saved/(2) x.rrd", "/saved/x.rrd"],
    ]);
    const [, , last] = all.map(({ name }) => name);
    assertEquals(await shelves.remove("x.rrd"), "foreign");
    assertEquals(await shelves.remove(last!), "removed");
    assertEquals(saved.names, ["(2) x.rrd"]);
    assertEquals(await shelves.remove(last!), "missing");
    assertEquals(await shelves.remove("(2) x.rrd"), "removed");
    assertEquals(await opened(shelves, "x.rrd"), "/given/x.rrd");
  });

  it("give no other file under the name of one that is gone, to whoever has an older list", async () => {
    const [one, two] = [shelfOf("one", ["x.rrd"], true), shelfOf("two", ["x.rrd"], true)];
    const shelves = new Shelves();
    shelves.add(one.shelf);
    shelves.add(two.shelf);
    assertEquals((await shelves.list()).map(({ name }) => name), ["x.rrd", "(2) x.rrd"]);
    assertEquals(await shelves.remove("x.rrd"), "removed");
    // As a second viewer does, or an impatient one.
    assertEquals(await shelves.remove("x.rrd"), "missing");
    assertEquals((await shelves.list()).map(({ name }) => name), ["(2) x.rrd"]);
    assertEquals(await shelves.remove("x.rrd"), "missing");
    assertEquals(await opened(shelves, "x.rrd"), "missing");
    assertEquals(await opened(shelves, "(2) x.rrd"), "/two/x.rrd");
    one.names.push("x.rrd");
    assertEquals(await opened(shelves, "x.rrd"), "/one/x.rrd");
    assertEquals(two.names, ["x.rrd"]);
  });

  it("show a file once that two of them have, by the name that the first gives it", async () => {
    const [one, two] = [shelfOf("same", ["a.rrd"], true), shelfOf("same", ["a.rrd", "b.rrd"])];
    const shelves = new Shelves();
    shelves.add(two.shelf);
    shelves.addFirst(one.shelf);
    assertEquals((await shelves.list()).map(({ name, isOurs }) => [name, isOurs]), [
      ["a.rrd", true],
      ["b.rrd", false],
    ]);
    assertEquals(await shelves.remove("a.rrd"), "removed");
    // The other one has it still, as a list would say.
    assertEquals(await shelves.remove("a.rrd"), "foreign");
  });
});
