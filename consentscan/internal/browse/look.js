// Runs in a world of its own, where a page cannot see or change it. It returns the names of
// what this frame's origin keeps, at most 500 of each.
(async () => {
  const names = (list) => Array.from(list ?? [], String).slice(0, 500).map((s) => s.slice(0, 1024));
  const ask = async (f) => { try { return names(await f()); } catch { return []; } };
  const soon = (promise) => Promise.race([promise, new Promise((_, fail) => setTimeout(fail, 1000))]);
  const urls = (selector) => names(Array.from(document.querySelectorAll(selector), (e) => e.href)).filter((u) => /^https?:/.test(u));
  return {
    origin: location.origin,
    local: await ask(() => Object.keys(localStorage)),
    session: await ask(() => Object.keys(sessionStorage)),
    databases: await ask(async () => (await soon(indexedDB.databases())).map((d) => d.name)),
    caches: await ask(() => soon(caches.keys())),
    workers: await ask(async () => (await soon(navigator.serviceWorker.getRegistrations())).map((r) => (r.active ?? r.waiting ?? r.installing)?.scriptURL ?? r.scope)),
    links: urls("a[href], area[href]"),
    preconnects: urls("link[rel~=preconnect i], link[rel~=dns-prefetch i]"),
    held: names(new Set(Array.from(document.querySelectorAll("template[data-consent], script[type='text/plain'][data-consent]"),
      ({ dataset: { consent, provider } }) => consent + (provider ? ":" + provider : "")))),
    prerenders: (await ask(() => Array.from(document.querySelectorAll("script[type=speculationrules]"), (s) => {
      const rules = JSON.parse(s.textContent);
      return [rules.prefetch, rules.prerender].flat().flatMap((r) => r?.urls ?? []).map((u) => new URL(u, document.baseURI).href).join("\n");
    }))).flatMap((s) => s.split("\n")).filter(Boolean),
  };
})()
