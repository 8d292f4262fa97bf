// Saves decisions without a reload, activates gated content once it is allowed,
// and loads the banner on pages that come from a cache. C holds the declarations:
// path, cookie (its name), former (the name that it had), framed, revision and
// categories; and C.clean is storage.js, if the site declares anything there.
const decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/"));
const find = selector => document.querySelector(selector);
const create = (tag, properties) => Object.assign(document.createElement(tag), properties);

// Returns the newest decision among the cookies of a name, undefined if there is none. Only
// the server can check its signature. The browser drops a decision at its end: a
// visitor's clock may be wrong. Package internal/decision has the format.
const read = wanted => {
  let newest;
  for (const pair of document.cookie.split("; ")) {
    const [name, value] = pair.split(/=(.*)/s);
    if (name === wanted) try {
      const b = decode(decode(value).split("|")[1]), at = n => b.charCodeAt(n);
      let i = 1;
      const number = () => {
        let n = 0, f = 1, c;
        do { c = at(i++); n += (c & 127) * f; f *= 128; } while (c > 127);
        return n;
      };
      const d = {revision: number(), time: number(), objection: at(i) & 1, marks: {}};
      for (i += at(i) & 2 ? 17 : 1; i < b.length; i += 4) d.marks[at(i) * 2 ** 22 + (at(i + 1) << 14 | at(i + 2) << 6 | at(i + 3) >> 2)] = at(i + 3) & 3;
      if (at(0) === 1 && !(newest?.time > d.time)) newest = d;
    } catch { /* not a decision */ }
  }
  return newest;
};
const readDecision = () => read(C.cookie) ?? read(C.former);

// Activates the gated content that the decision allows, and dispatches the "consent"
// event. As on the server, a category allows no provider if one of them has no answer,
// unless the law presumes it, as the banner's mark says; and a yes that a law had ticked
// (2) counts only under one that does. Returns whether everything is decided.
const apply = () => {
  const d = readDecision(), marks = d && d.revision >= C.revision ? d.marks : {}, allowed = {}, whole = {necessary: true};
  const {regime = 0, presumed = ""} = find("[data-regime]")?.dataset ?? {};
  let decided = true;
  for (const [category, {providers, anonymous, from}] of Object.entries(C.categories)) {
    const names = Object.keys(providers);
    const answered = names.every(p => providers[p] in marks && (regime >= from || marks[providers[p]] < 2));
    decided &&= answered;
    allowed[category] = names.filter(p => answered ? marks[providers[p]] : presumed.split(" ").includes(category));
    whole[category] = allowed[category].length === names.length && !(anonymous && d?.objection);
  }
  for (const gate of document.querySelectorAll("template[data-consent],script[type='text/plain']:is([data-consent],[data-category])")) {
    // The attributes of vanilla-cookieconsent count only without data-consent.
    const d = gate.dataset, [consent, provider] = "consent" in d ? [d.consent, d.provider] : [d.category, d.service];
    // A category that nobody declared keeps the gate closed; the checks of the values
    // are for names such as "constructor", which every object has.
    if (!(provider ? allowed[consent]?.includes?.(provider) : whole[consent] === true)) continue;
    let content = gate.content && document.importNode(gate.content, true);
    if (!content) {
      content = create("script", {text: gate.text, async: false, nonce: gate.nonce});
      for (const {name, value} of gate.attributes) if (name !== "type") content.setAttribute(name.replace(/^data-(src|type)$/, "$1"), value);
    }
    (gate.closest(".charter-placeholder") || gate).replaceWith(content);
  }
  if (d) C.clean?.(d);
  document.dispatchEvent(new CustomEvent("consent", {detail: {decided, allowed}}));
  return decided;
};

// Loads the banner, or the confirmation in its place. It comes as a script, since a
// Content-Security-Policy without connect-src keeps a page from using fetch. It lies
// over the page: inserted so late, it would move everything below.
const loadBanner = (then, query = "?back=") => {
  const script = create("script", {src: C.path + "banner.js" + query + encodeURIComponent(location.pathname + location.search)});
  script.onload = () => {
    const box = create("div", {className: "charter-late", innerHTML: script.html});
    script.remove();
    find(".charter-banner,.charter-late")?.remove();
    if (box.firstChild) document.body.prepend(box);
    then?.(box);
  };
  document.head.append(script);
};

// After a form with the field "stay", the response has no content and the browser
// stays on the page. No event says that the response has arrived, so the script
// waits for the cookie. If none comes in five seconds, as in a browser without cookies, it
// says so, and waits on: a slow answer may still come.
addEventListener("submit", ({target: form, submitter}) => {
  if (submitter?.name !== "choice" || !form.matches(".charter-banner form,.charter-placeholder form")) return;
  const before = readDecision()?.time, confirm = query => loadBanner(box => box.querySelector("button")?.focus(), query);
  form.append(create("input", {type: "hidden", name: "stay"}));
  // Hidden at once, within the 500 ms after a click in which a layout shift counts as
  // the visitor's own (CLS).
  const banner = form.closest(".charter-banner");
  if (banner) banner.style.display = "none";
  let attempts = 0;
  const waiting = setInterval(() => {
    if (readDecision()?.time !== before) {
      clearInterval(waiting);
      delete find("[data-regime]")?.dataset.presumed;
      confirm();
      apply();
    } else if (++attempts === 100) confirm("?unkept&back=");
    else if (attempts > 1200) clearInterval(waiting);
  }, 50);
});

// A browser holds the decision back from a frame of another site, unless its cookie is
// made for that (C.framed): nobody can be asked there.
const isHeldBack = () => { try { return !top.location.href; } catch { return !C.framed; } };

// What is loaded may say that the law presumes consents: gated content is activated
// then.
const begin = () => { if (!apply() && !isHeldBack() && !find(".charter-banner,.charter-page,[data-regime]")) loadBanner(() => find("[data-regime]") && apply()); };
document.readyState === "loading" ? addEventListener("DOMContentLoaded", begin) : begin();
