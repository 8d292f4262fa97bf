// Google counts an Arguments object alone as a command, and no array.
(granted, isFirst) => {
  const command = function () { (window.dataLayer ||= []).push(arguments); };
  for (const word in granted) granted[word] = granted[word] ? "granted" : "denied";
  command("consent", isFirst ? "default" : "update", granted);
  isFirst || dataLayer.push({event: "consent_update"});
}
