// Tells the server that the page is loaded, and does what it answers. Both are
// one more script of the site's own, which the policy of each page lets in.
addEventListener("load", () => {
  const step = document.createElement("script");
  step.src = "/step.js?page=" + encodeURIComponent(location.pathname);
  document.head.append(step);
});
