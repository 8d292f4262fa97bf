var klaroConfig = {
  version: 1,
  acceptAll: true,
  groupByPurpose: true,
  translations: {
    zz: {privacyPolicyUrl: "/privacy"},
    en: {
      purposes: {necessary: "Necessary", statistics: "Statistics", firstParty: "First party", thirdParty: "Third party"},
    },
  },
  services: [
    {name: "session", title: "Session", description: "Keeps you signed in from page to page.", purposes: ["necessary"], required: true},
    {name: "matomo", title: "Matomo", description: "Recognises a visitor who comes back.", purposes: ["statistics"], cookies: [/^_pk_id/]},
    {name: "recent", title: "Recent datasets", description: "Suggests datasets close to those that you have looked at.", purposes: ["firstParty"], cookies: ["recent_datasets"]},
    {name: "vimeo", title: "Vimeo", description: "Measures how videos are watched.", purposes: ["thirdParty"], cookies: ["vuid"]},
  ],
};
