// The library takes commands from a queue, of which "configure" has to be the first.
({general}, isFirst) => {
  const decided = {consent: [{standard: "Adobe", version: "1.0", value: {general: general === "granted" ? "in" : "out"}}]};
  if (!window.alloy) {
    const queue = window.alloy = (command, options) => new Promise((...settle) => {
      const isConfiguring = command === "configure";
      queue.q.push([...settle, [command, isConfiguring ? {defaultConsent: "pending", ...options} : options]]);
      if (isConfiguring && queue.waiting) queue("setConsent", queue.waiting);
      if (isConfiguring) delete queue.waiting;
    });
    queue.q = [];
    queue.waiting = 0;
    (window.__alloyNS ||= []).push("alloy");
  }
  if (!isFirst) "waiting" in alloy ? alloy.waiting = decided : alloy("setConsent", decided);
}
