// In the place of Google's tag, for the measurements: it takes the commands of the dataLayer
// in their order, those to come too, and sends what they amount to.
(() => {
  const words = {}, digit = word => words[word] === "denied" ? 0 : 1;
  const take = entry => {
    if (Object.prototype.toString.call(entry) !== "[object Arguments]") return;
    const [name, , more] = entry;
    if (name === "consent") Object.assign(words, more, {known: true});
    if (name !== "config") return;
    const gcs = words.known ? `G1${digit("ad_storage")}${digit("analytics_storage")}` : "";
    if (digit("analytics_storage")) document.cookie = "_ga=GA1.1.1.1; path=/; max-age=63072000";
    fetch("https://www.google-analytics.com/g/collect?gcs=" + gcs, {method: "POST", mode: "no-cors", keepalive: true});
  };
  const layer = window.dataLayer = window.dataLayer || [], push = layer.push.bind(layer);
  layer.push = (...entries) => { push(...entries); entries.forEach(take); };
  layer.slice().forEach(take);
})();
