import "/npm/vanilla-cookieconsent/dist/cookieconsent.umd.js";

CookieConsent.run({
  hideFromBots: false, // the browser that measures is one
  categories: {
    necessary: {enabled: true, readOnly: true},
    statistics: {autoClear: {cookies: [{name: /^_pk_id/}]}},
    firstParty: {autoClear: {cookies: [{name: "recent_datasets"}]}},
    thirdParty: {autoClear: {cookies: [{name: "vuid"}]}},
  },
  language: {
    default: "en",
    translations: {
      en: {
        consentModal: {
          title: "Cookies on this site",
          description: "Some are necessary. For the others we ask for your consent.",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Reject all",
          showPreferencesBtn: "Choose",
        },
        preferencesModal: {
          title: "Your choice",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Reject all",
          savePreferencesBtn: "Save",
          closeIconLabel: "Close",
          sections: [
            {title: "Necessary", description: "Keeps you signed in from page to page.", linkedCategory: "necessary"},
            {title: "Statistics", description: "Matomo recognises a visitor who comes back.", linkedCategory: "statistics"},
            {title: "First party", description: "Suggests datasets close to those that you have looked at.", linkedCategory: "firstParty"},
            {title: "Third party", description: "Vimeo measures how videos are watched.", linkedCategory: "thirdParty"},
          ],
        },
      },
    },
  },
});
