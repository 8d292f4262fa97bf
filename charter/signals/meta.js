// The tag's own code does nothing if there is an fbq, so that none may be made here. What it
// makes is told when it is first asked for: that is after this code, and before "init".
({consent}, isFirst) => {
  const grants = !isFirst && consent === "granted";
  const define = property => Object.defineProperty(window, "fbq", {configurable: true, ...property});
  let tag;
  if (window.fbq) fbq("consent", grants ? "grant" : "revoke");
  else define({
    set(value) { tag = value; },
    get() {
      if (tag) {
        define({value: tag, writable: true, enumerable: true});
        tag("consent", "revoke");
        if (grants) tag("consent", "grant");
      }
      return tag;
    },
  });
}
