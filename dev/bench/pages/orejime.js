window.orejimeConfig = {
  privacyPolicyUrl: "/privacy",
  purposes: [
    {id: "necessary", title: "Necessary", description: "Keeps you signed in from page to page.", cookies: [], isMandatory: true},
    {id: "statistics", title: "Statistics", description: "Matomo recognises a visitor who comes back.", cookies: [/^_pk_id/]},
    {id: "first-party", title: "First party", description: "Suggests datasets close to those that you have looked at.", cookies: ["recent_datasets"]},
    {id: "third-party", title: "Third party", description: "Vimeo measures how videos are watched.", cookies: ["vuid"]},
  ],
};
