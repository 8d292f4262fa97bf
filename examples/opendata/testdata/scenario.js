// Allows the map on the home page as a visitor with JavaScript does, and
// reports what the page shows before and after.
(async () => {
  const seen = {violations: []};
  const until = async (what, condition) => {
    for (let i = 0; i < 2400; i++) {
      if (condition()) return;
      await new Promise(done => setTimeout(done, 25));
    }
    throw new Error("never: " + what);
  };
  const items = name => [...document.querySelectorAll("." + name + " li")].map(li => li.textContent.replace(/\s+/g, " ").trim());
  const moment = () => ({panel: items("panel"), choice: items("choice"), map: document.querySelectorAll("iframe").length, banner: document.querySelectorAll(".charter-banner").length});
  document.addEventListener("securitypolicyviolation", e => seen.violations.push(e.violatedDirective + " " + e.blockedURI));
  let told = 0;
  document.addEventListener("consent", () => told++);
  try {
    await until("the charter's first word", () => told === 1);
    seen.before = moment();
    const response = document.getElementById("response");
    document.querySelector(".charter-placeholder button").click();
    await until("another response", () => !response.isConnected);
    await until("the map", () => document.querySelector("iframe"));
    seen.after = moment();
  } catch (e) {
    seen.error = String(e);
  }
  await fetch("/report", {method: "POST", body: JSON.stringify(seen)});
})();
