// Has a test see this page, and does in it what the test says.
(async () => {
  const named = new URLSearchParams(location.search).get("browser");
  if (named) sessionStorage.setItem("browser", named);
  const page = Math.random();
  const text = selector => document.querySelector(selector)?.textContent.replace(/\s+/g, " ").trim() ?? "";
  for (;;) {
    const moment = {
      page, name: text("header strong"), banner: text(".charter-banner p"), note: text(".charter-done[open] [role=status]"), settings: text(".charter-settings[open] h2"),
      allowed: [...document.querySelectorAll(".choice li.yes small")].map(element => element.textContent),
    };
    const response = await fetch("/remote?browser=" + sessionStorage.getItem("browser"), {method: "POST", body: JSON.stringify(moment)});
    const {fill, value, click, leaves} = await response.json();
    if (fill) document.querySelector(fill).value = value;
    if (click) document.querySelector(click).click();
    if (leaves) return;
    await new Promise(done => setTimeout(done, 50));
  }
})();
