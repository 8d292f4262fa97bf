// Deletes what the visitor has refused from the browser's storages: by name, never all
// that the site has there. C.stored holds what is declared in each of them, in the order
// of precedence: a name, or a pattern with one '*', and the marks of all who have to let
// it pass, null for anonymous statistics. Without an answer nothing is deleted. A refusal
// stands through a higher revision, and if its category is to be asked for again.
C.clean = decision => {
  const isRefused = ([, ...marks]) => marks.some(mark => mark === null ? decision.objection : decision.marks[mark] === 0);
  const matches = (name, pattern) => {
    const [before, after] = pattern.split("*");
    return name === pattern || after !== undefined && name.length >= pattern.length - 1 && name.startsWith(before) && name.endsWith(after);
  };
  const sweep = async (declared, list, remove) => {
    if (declared.some(isRefused)) try {
      for (const name of await list()) {
        const found = declared.find(([pattern]) => matches(name, pattern));
        if (found && isRefused(found)) remove(name)?.catch?.(() => {});
      }
    } catch { /* the browser has no such storage, or it is blocked */ }
  };
  // Not Object.keys, which leaves out a key such as "length".
  const keys = storage => Array.from(storage, (_, i) => storage.key(i));
  const [local, session, databases, caching] = C.stored;
  sweep(local, () => keys(localStorage), name => localStorage.removeItem(name));
  sweep(session, () => keys(sessionStorage), name => sessionStorage.removeItem(name));
  // Without databases(), as in Firefox before 126, the declared names have to do; to
  // delete what is not there is no error (Indexed Database API, section 4.3).
  sweep(databases, async () => indexedDB.databases ? (await indexedDB.databases()).map(({name}) => name) : databases.map(([name]) => name), name => indexedDB.deleteDatabase(name));
  sweep(caching, () => caches.keys(), name => caches.delete(name));
};
