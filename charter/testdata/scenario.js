// Walks through the site as a visitor with JavaScript does, and reports.
(async () => {
  const seen = {}, events = [];
  const until = async (what, condition) => {
    for (let i = 0; i < 200; i++) {
      if (condition()) return;
      await new Promise(done => setTimeout(done, 25));
    }
    throw new Error("never: " + what);
  };
  const report = () => fetch("/report", {method: "POST", body: JSON.stringify(seen)});
  document.addEventListener("consent", e => events.push(e.detail));
  document.addEventListener("securitypolicyviolation", e => { seen.violation = e.violatedDirective + " " + e.blockedURI; });
  try {
    await until("the page is ready", () => document.readyState === "complete" && events.length > 0);
    if (location.pathname === "/") {
      seen.before = {decided: events[0].decided, gated: document.querySelectorAll(".came-alive").length, ran: window.ran || 0,
        banners: document.querySelectorAll(".consent-banner").length};
      document.querySelector(".consent-banner button[value=accept]").click();
      await until("the confirmation", () => document.querySelector("dialog.consent-done"));
      await until("the event", () => events.length > 1);
      seen.after = {decided: events[1].decided, allowed: events[1].allowed, gated: document.querySelectorAll(".came-alive").length, ran: window.ran,
        banners: document.querySelectorAll(".consent-banner").length, focus: document.activeElement.textContent};
      document.activeElement.click();
      seen.closed = !document.querySelector("dialog").open;
      location.href = "/static";
      sessionStorage.seen = JSON.stringify(seen);
    } else if (sessionStorage.seen) {
      Object.assign(seen, JSON.parse(sessionStorage.seen));
      await new Promise(done => setTimeout(done, 300));
      seen.later = {decided: events[0].decided, ran: window.ran, banners: document.querySelectorAll(".consent-banner").length};
      sessionStorage.clear();
      await report();
      location.href = location.href.replace("one.", "two.");
    } else {
      const top = document.querySelector("h1").getBoundingClientRect().top;
      await until("the late banner", () => document.querySelector(".consent-late .consent-banner"));
      seen.late = {moved: document.querySelector("h1").getBoundingClientRect().top - top, ran: window.ran || 0};
      document.querySelector(".consent-banner button[value=refuse]").click();
      await until("the event", () => events.length > 1);
      seen.refused = {decided: events[1].decided, allowed: events[1].allowed, ran: window.ran || 0};
      await report();
    }
  } catch (e) {
    seen.error = String(e);
    await report();
  }
})();
