// Google counts an Arguments object alone as a command, and no array.
(granted, isFirst) => {
  (window.dataLayer ||= []).push(function () { return arguments; }("consent", isFirst ? "default" : "update", granted));
  isFirst || dataLayer.push({event: "consent_update"});
}
