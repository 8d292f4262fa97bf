// google.js with what GoogleOptions adds: to the default, and as commands of its own.
(more, settings) => (granted, isFirst) => {
  const command = function () { (window.dataLayer ||= []).push(arguments); };
  command("consent", isFirst ? "default" : "update", isFirst ? {...granted, ...more} : granted);
  if (isFirst) for (const name in settings) command("set", name, settings[name]);
  else dataLayer.push({event: "consent_update"});
}
