const roots = root => [root, ...[...root.querySelectorAll("*")].flatMap(element => element.shadowRoot ? roots(element.shadowRoot) : [])];
const within = (root, selector) => {
  if (!selector.startsWith("xpath/")) return roots(root).flatMap(root => [...root.querySelectorAll(selector)]);
  const result = (root.ownerDocument ?? root).evaluate(selector.slice(6), root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
  return Array.from({length: result.snapshotLength}, (_, i) => result.snapshotItem(i)).filter(node => node.nodeType === Node.ELEMENT_NODE);
};
const find = selectors => {
  let root = document, all = [];
  for (const [i, selector] of selectors.entries()) {
    all = within(root, selector);
    if (!all.length || i === selectors.length - 1) break;
    root = all[0].shadowRoot ?? all[0].contentDocument ?? all[0];
  }
  return all;
};
const seen = element => {
  const {width, height} = element.getBoundingClientRect();
  return width > 0 && height > 0 && element.checkVisibility({opacityProperty: true, visibilityProperty: true});
};
