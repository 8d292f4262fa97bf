({consent}, isFirst) => {
  const method = isFirst ? "holdConsent" : consent === "granted" ? "grantConsent" : "revokeConsent", tag = window.ttq ||= [];
  tag[method] ? tag[method]() : tag.push([method]);
}
