// Tells the inventory which names the page's browser stores: once the page is loaded, and
// whenever they change. It reads no value.
{
  const to = document.currentScript.src.split("?")[0];
  const keys = storage => Array.from(storage, (_, i) => storage.key(i));
  const lists = {
    localStorage: () => keys(localStorage),
    sessionStorage: () => keys(sessionStorage),
    indexedDB: async () => (await indexedDB.databases()).map(({name}) => name),
    cacheStorage: () => caches.keys(),
  };
  let told = "";
  const tell = async () => {
    const names = {};
    for (const storage in lists) try {
      names[storage] = (await lists[storage]()).sort();
    } catch { /* the browser has none, or it is blocked */ }
    const report = JSON.stringify({page: location.pathname, names});
    if (report !== told && navigator.sendBeacon(to, report)) told = report;
  };
  addEventListener("load", tell);
  setInterval(tell, 1000);
}
