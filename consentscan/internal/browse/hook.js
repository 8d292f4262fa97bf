// Runs in each page, frame and worker before their own scripts. It tells who stores what,
// and until when timers keep the page busy. What it changes behaves as before.
((token) => {
  "use strict";
  const { console, Reflect, String, Object, Document, Storage, IDBFactory, CacheStorage, CookieStore, ServiceWorkerContainer } = globalThis;
  const write = console.debug.bind(console, token);
  let left = 2_000; // what is stored beyond that lies there when the page is looked at
  const tell = (...args) => { if (left-- > 0) write(...args); };
  const call = Reflect.apply;

  // wrap puts before and after around a method. Neither may stop it.
  const wrap = (type, name, before, after) => {
    const method = type && Object.getOwnPropertyDescriptor(type.prototype, name);
    if (!method || !method.value) return;
    const original = method.value;
    method.value = {
      [name](...args) {
        try { before?.call(this, args); } catch {}
        const result = call(original, this, args);
        try { after?.call(this, args); } catch {}
        return result;
      },
    }[name];
    Object.defineProperty(type.prototype, name, method);
  };

  const cookie = Document && Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  if (cookie?.set) {
    const { get, set } = cookie;
    Object.defineProperty(Document.prototype, "cookie", {
      ...cookie,
      set(line) {
        call(set, this, [line]);
        try { tell("cookie", String(line), call(get, this, [])); } catch {}
      },
    });
  }
  const date = (expires) => (expires == null ? "" : "; expires=" + new Date(+expires).toUTCString());
  wrap(CookieStore, "set", ([first, value]) => {
    const c = typeof first === "object" ? first : { name: first, value };
    tell("cookie", `${c.name}=${c.value}; path=${c.path ?? "/"}${c.domain ? "; domain=" + c.domain : ""}${date(c.expires)}; secure${c.partitioned ? "; partitioned" : ""}`);
  });
  wrap(CookieStore, "delete", ([first]) => tell("cookie", `${first.name ?? first}=; max-age=0`));

  const kind = (storage) => { try { return storage === globalThis.sessionStorage ? "session storage" : "local storage"; } catch { return "local storage"; } };
  wrap(Storage, "setItem", null, function ([key]) { tell(kind(this), String(key)); });
  wrap(Storage, "removeItem", null, function ([key]) { tell("removed", kind(this), String(key)); });
  wrap(IDBFactory, "open", ([name]) => tell("IndexedDB", String(name)));
  wrap(CacheStorage, "open", ([name]) => tell("cache storage", String(name)));
  wrap(ServiceWorkerContainer, "register", ([url]) => tell("service worker", String(url)));

  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) {
    const Original = globalThis[name];
    if (!Original) continue;
    globalThis[name] = new Proxy(Original, {
      construct(target, args, self) {
        try { for (const server of args[0]?.iceServers ?? []) for (const url of [server.urls].flat()) tell("WebRTC", String(url)); } catch {}
        return Reflect.construct(target, args, self);
      },
    });
  }

  // A page that waits two seconds before it loads a tag is not at rest before. One that
  // asks every 50 ms whether something is there is told of once in a while.
  let told = 0;
  for (const name of ["setTimeout", "setInterval"]) {
    const original = globalThis[name];
    if (!original) continue;
    globalThis[name] = {
      [name](...args) {
        const delay = +args[1] || 0, due = performance.now() + delay;
        if (delay <= 10_000 && due > told + 200) { told = due; tell(name, delay); }
        return call(original, this ?? globalThis, args);
      },
    }[name];
  }
})
