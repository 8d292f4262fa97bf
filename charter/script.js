// What a page does with a visitor's decision, for as long as it lives: it asks, saves the
// answer without a reload, activates gated content once it is allowed, and looks again
// whenever the decision may have changed. C holds the declarations: path, cookie (its
// name), former (the name that it had), framed, revision, regimes and categories; part,
// what the server would draw now, if it comes with the script; and C.clean is storage.js,
// if the site declares anything there.
if (window.consent?.scan) return; // two tags load it
const {nonce, dataset: told = {}} = document.currentScript ?? {};
const decode = s => atob(s.replace(/-/g, "+").replace(/_/g, "/"));
const find = selector => document.querySelector(selector);
const create = (tag, properties) => Object.assign(document.createElement(tag), properties);

// Everything that becomes script or HTML here comes from the site itself: from its server,
// or from the gates of its pages. Other policies than this one may be required.
let trusted = {createHTML: s => s, createScript: s => s, createScriptURL: s => s};
try { trusted = trustedTypes.createPolicy("cookiecharter", trusted); } catch { /* the browser knows none */ }

// Returns the newest decision among the cookies of a name, undefined if there is none. Only
// the server can check its signature. The browser drops a decision at its end: a
// visitor's clock may be wrong. Package internal/decision has the format.
const read = wanted => {
  let newest, all = "";
  try { all = document.cookie; } catch { /* a sandbox */ }
  for (const pair of all.split("; ")) {
    const [name, value] = pair.split(/=(.*)/s);
    if (name === wanted) try {
      const b = decode(decode(value).split("|")[1]), at = n => b.charCodeAt(n);
      let i = 1;
      const number = (c = at(i++)) => c > 127 ? c - 128 + 128 * number() : c;
      const d = {revision: number(), time: number(), objection: at(i) & 1, marks: {}};
      for (i += at(i) & 2 ? 17 : 1; i < b.length; i += 4) d.marks[at(i) * 2 ** 22 + (at(i + 1) << 14 | at(i + 2) << 6 | at(i + 3) >> 2)] = at(i + 3) & 3;
      if (at(0) === 1 && !(newest?.time >= d.time)) newest = d;
    } catch { /* not a decision */ }
  }
  return newest;
};
const readDecision = () => read(C.cookie) ?? read(C.former);

// Returns the state that the decision and the law amount to. As on the server, a category
// allows no provider if one of them has no answer, unless the law presumes it, as the
// banner's mark says, or the visitor has allowed this one alone (3); and a yes that a law
// had ticked (2) counts only under one that does.
let law = {}, whole;
const judge = () => {
  const d = readDecision(), marks = d && d.revision >= C.revision ? d.marks : {}, allowed = {};
  const {regime = "opt-in", presumed = ""} = law = find("[data-regime]")?.dataset ?? law;
  let decided = true;
  whole = {necessary: true};
  for (const [category, {providers, anonymous, from}] of Object.entries(C.categories)) {
    const names = Object.keys(providers), answer = p => marks[providers[p]];
    const answered = names.every(p => answer(p) === 2 ? C.regimes.indexOf(regime) >= from : answer(p) >= 0);
    decided &&= answered;
    allowed[category] = names.filter(p => answered ? answer(p) : answer(p) === 3 || presumed.split(" ").includes(category));
    whole[category] = allowed[category].length === names.length && !(anonymous && d?.objection);
  }
  return {decided, at: d ? new Date(d.time) : null, regime, allowed, objection: !!d?.objection};
};

// A category that nobody declared keeps its gates closed; the checks of the values are for
// names such as "constructor", which every object has.
const allows = (category, provider) => provider ? !!state.allowed[category]?.includes?.(provider) : whole[category] === true;

// The scripts of gates run in the order in which the page has them, as HTML says: those
// without async and defer one after the other, then modules and those with defer. An
// external one that fails holds up nobody.
const sourceOf = script => script.dataset.src || script.getAttribute("src");
const typeOf = script => script.dataset.type || script.type;
const revive = waiting => new Promise(done => {
  const live = create("script", {async: false, nonce: waiting.nonce || nonce, onload: done, onerror: done});
  for (const {name, value} of waiting.attributes) {
    const own = name.replace(/^data-(src|type)$/, "$1");
    if (own === "src") live.src = trusted.createScriptURL(value);
    else if (value.toLowerCase() !== "text/plain" && name !== "nonce") live.setAttribute(own, value);
  }
  live.text = trusted.createScript(waiting.textContent);
  if (waiting.isConnected) waiting.replaceWith(live);
  // Of a script in the page, of a module that runs a moment later, and of one that the
  // browser leaves alone no event tells.
  if (!live.src || !live.isConnected || live.noModule || !/^$|module|script/i.test(live.type)) setTimeout(done);
});
let turn = Promise.resolve();
const run = scripts => {
  const now = [], later = [];
  for (const script of scripts) {
    if (script.hasAttribute("async")) revive(script);
    else (typeOf(script) === "module" || script.defer && sourceOf(script) ? later : now).push(script);
  }
  turn = turn.then(async () => {
    let running = [];
    for (const script of [...now, ...later]) {
      if (!sourceOf(script)) await Promise.all(running);
      running.push(revive(script)); // the browser keeps the order of those that load at once
      if (!sourceOf(script) || script === now.at(-1)) await Promise.all(running);
    }
  });
};

// Opens each gate that the state allows, once, and what comes in sight by that. For each
// that is open, opened has what stood in its place, and what it stands between now. What
// Turbo shows until the page itself arrives stays closed.
const gates = "template[data-consent],script[type='text/plain']:is([data-consent],[data-category])";
const opened = new Map(), drawn = new WeakSet();
let wanted, isPaused;
const scan = () => {
  if (isPaused || document.prerendering || find("[data-turbo-preview]")) return;
  for (const [gate, [, start]] of opened) start.isConnected || opened.delete(gate); // it has gone
  const scripts = [], found = [...document.querySelectorAll(gates)].filter(gate => {
    // The attributes of vanilla-cookieconsent count only without data-consent.
    const d = gate.dataset;
    return !opened.has(gate) && ("consent" in d ? allows(d.consent, d.provider) : allows(d.category, d.service));
  });
  for (const gate of found) {
    const place = gate.closest(".charter-placeholder") || gate, start = new Text, end = new Text;
    opened.set(gate, [place, start, end]);
    place.before(start);
    place.after(end);
    if (!gate.content) {
      scripts.push(gate);
      continue;
    }
    const content = document.importNode(gate.content, true);
    content.append(...[...gate.childNodes].map(node => node.cloneNode(true))); // where a script has made the template
    // One that has this type already is a gate of its own, or no script at all.
    for (const script of content.querySelectorAll("script:not([type='text/plain'])")) {
      const type = typeOf(script);
      script.type = "text/plain"; // until its turn
      if (type) script.dataset.type = type;
      scripts.push(script);
    }
    const nodes = [...content.childNodes];
    place.replaceWith(content);
    if (place === wanted) focusOn(nodes.filter(node => node.focus));
  }
  run(scripts);
  draw();
};
const focusOn = elements => {
  const target = elements.flatMap(element => [element, ...element.querySelectorAll("*")]).find(element => element.tabIndex >= 0) ?? elements[0];
  if (target?.tabIndex < 0) target.tabIndex = -1; // a paragraph has no other way
  target?.focus();
};

// Draws the placeholders of gates that ask for one.
const draw = () => {
  const waiting = [...document.querySelectorAll("template[data-provider][data-title]")].filter(gate => !drawn.has(gate) && !opened.has(gate) && !gate.closest(".charter-placeholder")).slice(0, 20); // or the address would be too long for some proxy
  if (!waiting.length) return;
  const query = waiting.map(gate => {
    drawn.add(gate);
    const {consent: category, ...rest} = gate.dataset;
    return "&for=" + encodeURIComponent(new URLSearchParams({category, ...rest}));
  });
  load("placeholders", part => {
    parse(part).forEach((section, i) => {
      if (opened.has(waiting[i])) return;
      waiting[i].replaceWith(section);
      section.append(waiting[i]);
    });
    draw();
  }, query.join(""));
};

// Adds a part that the server has drawn. Styles that are made so need no nonce.
const adopted = new Set();
const parse = ({html, css}) => {
  if (css && !adopted.has(css)) {
    adopted.add(css);
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } catch { document.head.append(create("style", {textContent: css, nonce})); }
  }
  return [...create("template", {innerHTML: trusted.createHTML(html)}).content.children];
};
const show = part => {
  document.querySelectorAll(".charter-banner,.charter-done,.charter-button").forEach(element => element.remove());
  const elements = parse(part);
  elements.forEach(element => element.classList.add("charter-late"));
  document.body.prepend(...elements);
  return elements;
};

// Loads a part. It comes as a script, since a Content-Security-Policy without connect-src
// keeps a page from using fetch.
const load = (part, then, more = "", otherwise) => {
  const script = create("script", {nonce, onerror: otherwise, src: trusted.createScriptURL(C.path + "banner.js?show=" + part + "&back=" + encodeURIComponent(here()) + more)});
  script.onload = () => {
    script.remove();
    then(script.drawn);
  };
  document.head.append(script);
};
const here = () => location.pathname + location.search + location.hash;

// Asks if there is something to ask. The banner comes back if something swaps it away, and
// goes if it was drawn before the decision: a page from a cache asks what was answered.
// Nobody is asked in a frame of the site itself; one of another site is held back the
// decision, unless the cookie is made for that (C.framed).
const mayAsk = () => { try { return top === self || !top.location.href; } catch { return C.framed; } };
let banner, isAnswered, isLoading, returns = 0;
const ask = () => {
  const shown = find(".charter-banner");
  if (state.decided) {
    banner = undefined;
    if (shown && !(shown.dataset.at >= +state.at)) shown.remove();
  } else if (isAnswered) {
    // the answer is on its way, or the browser does not keep it
  } else if (shown) {
    banner = shown;
    if (!mayAsk()) shown.remove();
  } else if (find(".charter-page") || !mayAsk()) {
    // nothing to do
  } else if (banner) {
    if (returns < 9) returns++, setTimeout(() => returns--, 9e3), document.body.prepend(banner); // something may be set on taking it away
  } else if (!isLoading && !law.regime) {
    isLoading = true;
    const then = part => {
      if (find(".charter-banner,.charter-done")) return;
      show(part);
      banner = find(".charter-banner");
      look(); // the law may presume consents
    };
    if (C.part) then(C.part);
    else load("", then);
  }
};

// Looks at the decision again. A page on which something may be alive that is now refused
// is loaded again; if the visitor has typed something there, they are asked first.
const living = new Set();
let state = judge(), last, typed = "post" in told, isStale;
const live = () => [...Object.keys(whole).filter(c => whole[c]), ...Object.entries(state.allowed).flatMap(([c, providers]) => providers.map(p => c + ":" + p))];
const look = () => {
  const before = last && state, now = judge(), d = readDecision();
  if (document.prerendering || last === (last = JSON.stringify(now))) return;
  state = now;
  const alive = live();
  isStale ||= [...living].some(key => !alive.includes(key));
  alive.forEach(key => living.add(key));
  scan();
  if (d) C.clean?.(d);
  // No tag hears of it on a page that leaves: it would at once send that it may no longer.
  if (isStale && !typed) document.charter?.splice(0);
  document.dispatchEvent(new CustomEvent("consent", {detail: {...state, before}}));
  ask();
  if (isStale) typed ? load("stale", confirm) : location.reload();
};
live().forEach(key => living.add(key)); // what was allowed when the page was drawn, maybe in advance

// navigator.cookieEnabled is true in a browser whose visitor has blocked them.
const keepsCookies = () => {
  document.cookie = "charter=1";
  return document.cookie.includes("charter=1") && (document.cookie = "charter=; Max-Age=0");
};

// Saves a choice. The page stays: by fetch if its policy is known to allow that, else by a
// form with the field "stay", whose response has no content. No event says that this has
// arrived, so the script waits for the cookie; if none comes, it says so.
let canFetch = "fetch" in told;
const confirm = part => show(part).forEach(element => element.querySelector?.("button")?.focus());
addEventListener("submit", async event => {
  const {target: form, submitter} = event;
  if (submitter?.name !== "choice" || !form.matches(":is(.charter-banner,.charter-placeholder,.charter-settings) form")) return;
  event.stopImmediatePropagation(); // or Turbo and htmx would take it
  const time = () => readDecision()?.time, before = time(), box = form.closest(".charter-banner,.charter-settings"), dialog = box?.close && box;
  wanted = form.closest(".charter-placeholder");
  isAnswered = true;
  form.querySelector("[role=alert]")?.remove();
  form.elements.back.value = here();
  // Hidden at once, within the 500 ms after a click in which a layout shift counts as
  // the visitor's own (CLS).
  if (dialog) dialog.close();
  else if (box) box.style.display = "none";
  let isWaiting = 1, response, failure, attempts = 0; // 2 if a note says so
  setTimeout(() => isWaiting && load("working", part => { if (isWaiting) isWaiting = 2, confirm(part); }), 5e3);
  if (canFetch) try {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    body.append("choice", submitter.value);
    body.append("stay", "");
    response = await fetch(C.path, {method: "POST", headers: {Accept: "text/plain"}, body});
  } catch ({message}) {
    failure = message;
    if (navigator.onLine) { // a policy that is not in the response
      isWaiting = canFetch = 0;
      return form.requestSubmit(submitter);
    }
  } else form.append(create("input", {type: "hidden", name: "stay"}));
  // The page of a proxy in front is no sentence.
  if (response && !response.ok) failure = /plain/.test(response.headers.get("Content-Type")) ? await response.text() : response.status;
  if (failure) {
    isWaiting = 0;
    form.prepend(create("p", {role: "alert", textContent: failure}));
    find(".charter-done")?.remove();
    isAnswered = false;
    if (dialog) dialog.showModal();
    else if (box) box.style.display = "", box.isConnected || document.body.prepend(box);
    return;
  }
  while (time() === before) {
    if (response || ++attempts === 20 && !keepsCookies() || attempts === 600) isWaiting = 0, load("unkept", confirm);
    if (response || attempts > 1200) return;
    await new Promise(done => setTimeout(done, 50));
  }
  if (wanted) {
    isAnswered = false;
    if (isWaiting > 1) find(".charter-done")?.remove();
  } else delete law.presumed;
  isWaiting = 0;
  dialog?.remove();
  look();
  if (!isStale && !wanted) load("", confirm);
}, true);
addEventListener("input", ({target}) => { typed ||= !target.closest?.("[class^=charter-]"); }, true);

// Opens the settings over the page, so that nothing is lost of it.
const open = () => load("settings", part => {
  if (find(".charter-settings[open]")) return; // after a double click
  find(".charter-settings")?.remove();
  const [dialog] = parse(part);
  document.body.append(dialog);
  dialog.showModal();
}, "", () => { location.href = C.path + "#settings"; });
addEventListener("click", event => {
  const {target, button} = event;
  if (target.closest?.("[data-charter-reload]")) "post" in told ? location.assign(C.path) : location.reload();
  if (!target.closest?.("[data-charter-open]") || button || event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement || find(".charter-page")) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // htmx follows a link all the same
  open();
}, true);

window.consent = {
  get state() { return state; },
  open,
  scan,
  subscribe(listener) {
    document.addEventListener("consent", listener);
    return () => document.removeEventListener("consent", listener);
  },
};

const begin = () => {
  // First, since a gate may hold others.
  new MutationObserver(changes => {
    const adds = selector => changes.some(({addedNodes}) => [...addedNodes].some(node => node.matches?.(selector) || node.querySelector?.(selector)));
    if (adds(gates)) scan();
    if (!state.decided || adds(".charter-banner")) ask();
  }).observe(document, {childList: true, subtree: true});
  look();
  if (C.part && state.decided && mayAsk() && !find(".charter-page")) {
    show(C.part);
    ask(); // it may be older than the answer
    find(".charter-banner,.charter-done,.charter-button") || load("", show);
  }
  for (const type of ["pageshow", "focus"]) addEventListener(type, look);
  document.addEventListener("visibilitychange", look);
  window.cookieStore?.addEventListener("change", look);
  try { top.document.addEventListener("consent", look); } catch { /* another site's */ }
  // Turbo and htmx keep what a page looked like, and run its scripts when it comes back:
  // they keep the gates, closed.
  for (const type of ["turbo:before-cache", "htmx:beforeHistorySave", "htmx:history:cache:before:save"]) document.addEventListener(type, () => {
    isPaused = true;
    const closed = [], range = new Range();
    for (const [place, start, end] of opened.values()) if (start.isConnected && start.parentNode === end.parentNode) {
      range.setStartBefore(start);
      range.setEndAfter(end);
      closed.push([place, range.extractContents()]);
      range.insertNode(place);
    }
    setTimeout(() => {
      for (const [place, content] of closed) place.isConnected && place.replaceWith(content); // the page has stayed
      isPaused = false;
      scan();
    }, 99);
  });
};
if (document.prerendering) document.addEventListener("prerenderingchange", begin, {once: true});
else document.readyState === "loading" ? addEventListener("DOMContentLoaded", begin) : begin();
