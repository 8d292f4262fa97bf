// A decision that is taken without a reload makes the panel and the choice
// stale: they tell of one response. This asks for another, and shows what
// became of that one. The charter tells the choice once as the page begins,
// which is what the page was drawn for, and then at each decision.
let begun = false;
document.addEventListener("consent", async () => {
  if (!begun) {
    begun = true;
    return;
  }
  const answer = await fetch("/");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("response").replaceWith(fresh.getElementById("response"));
});
