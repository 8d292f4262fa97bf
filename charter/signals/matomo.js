({consent}, isFirst) => { (window._paq ||= []).push([isFirst ? "requireConsent" : consent === "granted" ? "setConsentGiven" : "forgetConsentGiven"]); }
