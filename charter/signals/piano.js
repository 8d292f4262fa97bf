({consent}, isFirst) => {
  if (isFirst) window.pdl = {...window.pdl, requireConsent: "v2", consent: {products: ["PA"], defaultPreset: {PA: "opt-out"}}};
  else (window._paq ||= []).push(["consent.setMode", consent === "granted" ? "opt-in" : "opt-out"]);
}
