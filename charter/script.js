// Does without a reload what the forms do with one, brings gated content alive
// when it is allowed, and asks on pages that come from a cache. C holds what is
// declared: path, revision, lifetime (in milliseconds) and categories.
const decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/"));
const find = selector => document.querySelector(selector);
const create = (tag, properties) => Object.assign(document.createElement(tag), properties);

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
      const d = {revision: number(), time: number(), objects: at(i) & 1, marks: {}};
      for (i += at(i) & 2 ? 17 : 1; i < b.length; i += 4) d.marks[at(i) * 2 ** 23 + (at(i + 1) << 15 | at(i + 2) << 7 | at(i + 3) >> 1)] = at(i + 3) & 1;
      if (at(0) === 1 && d.time + C.lifetime > Date.now() && !(newest?.time > d.time)) newest = d;
    } catch { /* not a decision */ }
  }
  return newest;
};

// Tells what stands of it, as the server sees it: by category the providers
// that are allowed. Which categories are allowed until there is an answer, where
// the law is opt-out, the banner says. Gated content that is allowed comes alive.
// A gate may be marked as for vanilla-cookieconsent, by data-category and
// data-service; data-consent rules where it stands too. Whatever a gate names that
// nobody declared, be it a word that every object knows, keeps it closed.
const tell = () => {
  const d = read(), marks = d && d.revision >= C.revision ? d.marks : {}, allowed = {}, whole = {necessary: true};
  let decided = true;
  for (const [category, {providers, anonymous}] of Object.entries(C.categories)) {
    const names = Object.keys(providers), known = names.every(p => providers[p] in marks);
    decided &&= known;
    allowed[category] = names.filter(p => known ? marks[providers[p]] : find(`[data-presumed~="${category}"]`));
    whole[category] = allowed[category].length === names.length && !(anonymous && d?.objects);
  }
  for (const gate of document.querySelectorAll("template[data-consent],script[type='text/plain']:is([data-consent],[data-category])")) {
    const d = gate.dataset, [consent, provider] = "consent" in d ? [d.consent, d.provider] : [d.category, d.service];
    if (!(provider ? allowed[consent]?.includes?.(provider) : whole[consent] === true)) continue;
    let alive = gate.content && document.importNode(gate.content, true);
    if (!alive) {
      alive = create("script", {text: gate.text, async: false, nonce: gate.nonce});
      for (const {name, value} of gate.attributes) if (name !== "type") alive.setAttribute(name.replace(/^data-(src|type)$/, "$1"), value);
    }
    (gate.closest(".consent-placeholder") || gate).replaceWith(alive);
  }
  document.dispatchEvent(new CustomEvent("consent", {detail: {decided, allowed}}));
  return decided;
};

// The server draws the banner, or the confirmation in its place. It comes as a
// script, which a page may load where its policy keeps it from fetching. What
// comes late lies over the page, so that nothing moves.
const draw = then => {
  const script = create("script", {src: C.path + "banner.js?back=" + encodeURIComponent(location.pathname + location.search)});
  script.onload = () => {
    const box = create("div", {className: "consent-late", innerHTML: script.html});
    script.remove();
    find(".consent-banner")?.remove();
    if (box.firstChild) document.body.prepend(box);
    then?.(box);
  };
  document.head.append(script);
};

// A form that says so is answered without content, which leaves the page as it
// is; that the decision has come shows in the cookie. Where it does not come,
// since the browser keeps no cookies, the form goes the way of all forms.
addEventListener("submit", ({target: form, submitter}) => {
  if (submitter?.name !== "choice" || !form.matches(".consent-banner form,.consent-placeholder form") || form.plain) return;
  const before = read()?.time, stay = create("input", {type: "hidden", name: "stay"});
  form.append(stay);
  // At once, as what moves then is what the visitor has moved.
  const banner = form.closest(".consent-banner");
  if (banner) banner.style.display = "none";
  let patience = 100;
  const waiting = setInterval(() => {
    if (read()?.time !== before) {
      clearInterval(waiting);
      delete find("[data-presumed]")?.dataset.presumed;
      draw(box => box.querySelector("button")?.focus());
      tell();
    } else if (!--patience) {
      clearInterval(waiting);
      stay.remove();
      form.plain = 1;
      form.requestSubmit(submitter);
    }
  }, 50);
});

const begin = () => { if (!tell() && !find(".consent-banner,.consent-page")) draw(() => find("[data-presumed]") && tell()); };
document.readyState === "loading" ? addEventListener("DOMContentLoaded", begin) : begin();
