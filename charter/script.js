// Does without a reload what the forms do with one, brings gated content alive
// when it is allowed, and asks on pages that come from a cache. C, in the line
// before this one, holds what is declared.
(() => {
  const decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/"));

  // The newest decision among the cookies; its signature is the server's to
  // check. The format is that of the package internal/decision.
  const read = () => {
    let newest;
    for (const [, value] of document.cookie.matchAll(/(?:^|; )cookies_preferences=([^;]*)/g)) {
      try {
        const b = decode(decode(value).split("|")[1]), at = n => b.charCodeAt(n);
        let i = 1;
        const number = () => {
          let n = 0, f = 1, c;
          do { c = at(i++); n += (c & 127) * f; f *= 128; } while (c > 127);
          return n;
        };
        const d = {revision: number(), time: number(), objects: at(i++) & 1, marks: {}};
        for (; i < b.length; i += 4) d.marks[at(i) * 2 ** 23 + (at(i + 1) << 15 | at(i + 2) << 7 | at(i + 3) >> 1)] = at(i + 3) & 1;
        if (at(0) === 1 && !(newest?.time > d.time)) newest = d;
      } catch { /* not a decision */ }
    }
    return newest;
  };

  // What stands of it: by category the providers that are allowed, as the
  // server sees it.
  const standing = () => {
    const d = read(), allowed = {};
    let decided = true;
    for (const [category, {providers, anonymous}] of Object.entries(C.categories)) {
      const marks = d && d.revision >= C.revision ? d.marks : {};
      const names = Object.keys(providers), known = names.every(p => providers[p] in marks);
      decided &&= known;
      allowed[category] = {
        providers: known ? names.filter(p => marks[providers[p]]) : [],
        all: known && names.every(p => marks[providers[p]]) && !(anonymous && d?.objects),
      };
    }
    return {decided, allowed};
  };

  const alive = ({allowed}) => {
    for (const gate of document.querySelectorAll("template[data-consent],script[type='text/plain'][data-consent]")) {
      const {consent, provider} = gate.dataset, of = allowed[consent];
      if (!(consent === "necessary" || (provider ? of?.providers.includes(provider) : of?.all))) continue;
      if (gate.content) { gate.replaceWith(document.importNode(gate.content, true)); continue; }
      const script = document.createElement("script");
      for (const {name, value} of gate.attributes) if (name !== "type") script.setAttribute(name, value);
      script.text = gate.text;
      gate.replaceWith(script);
    }
  };

  const tell = () => {
    const now = standing(), detail = {decided: now.decided, allowed: {}};
    for (const category in now.allowed) detail.allowed[category] = now.allowed[category].providers;
    alive(now);
    document.dispatchEvent(new CustomEvent("consent", {detail}));
    return now;
  };

  // The server draws the banner, or the confirmation in its place. One that
  // comes late lies over the page, so that nothing moves.
  const draw = async () => {
    const response = await fetch(C.path + "banner?back=" + encodeURIComponent(location.pathname + location.search));
    const box = document.createElement("div");
    box.className = "consent-late";
    box.innerHTML = await response.text();
    document.querySelector(".consent-banner")?.remove();
    if (box.firstChild) document.body.prepend(box);
    return box;
  };

  document.addEventListener("submit", async event => {
    const form = event.target;
    if (!form.matches(".consent-banner form")) return;
    event.preventDefault();
    try {
      const response = await fetch(form.action, {
        method: "POST", redirect: "manual", body: new URLSearchParams(new FormData(form, event.submitter)),
      });
      if (response.type !== "opaqueredirect") throw response;
      (await draw()).querySelector("button")?.focus();
      tell();
    } catch {
      // With a reload, then. A form that is sent by a script names no button.
      const {name, value} = event.submitter;
      form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
      form.submit();
    }
  });

  const begin = () => { if (!tell().decided && !document.querySelector(".consent-banner,.consent-page")) draw(); };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
