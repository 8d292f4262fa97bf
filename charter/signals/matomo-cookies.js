({cookies}, isFirst) => { (window._paq ||= []).push([isFirst ? "requireCookieConsent" : cookies === "granted" ? "setCookieConsentGiven" : "forgetCookieConsentGiven"]); }
