// Runs in the page's own world, since only there the queues of tags can be read. It returns
// what Google's and Microsoft's tags were told of consent, in order.
(() => {
  const told = (name, queue, start) => {
    const out = { name, first: "", started: false, late: false, granted: [] };
    if (!Array.isArray(queue) && !(queue && typeof queue.length === "number")) return out;
    const granted = {};
    for (const entry of Array.from(queue).slice(0, 1000)) {
      const args = entry && typeof entry === "object" && "length" in entry ? Array.from(entry) : [entry];
      if (args[0] === "consent") {
        if (args[1] === "default" && out.started && !out.first) out.late = true;
        out.first ||= String(args[1]).slice(0, 20);
        for (const [key, value] of Object.entries(args[2] ?? {})) if (typeof value === "string") granted[key] = value === "granted";
      } else if (start(args)) out.started = true;
    }
    out.granted = Object.keys(granted).filter((key) => granted[key] && /^(ad_|analytics_)/.test(key)).map((key) => key.slice(0, 40)).sort();
    return out;
  };
  return [
    told("Google", globalThis.dataLayer, ([a]) => a === "config" || a === "event" || a?.event !== undefined),
    told("Microsoft", globalThis.uetq, ([a]) => a === "event"),
  ];
})()
