({consent}, isFirst) => {
  if (!isFirst) (window.posthog ||= []).push(consent === "granted" ? ["opt_in_capturing", {captureEventName: false}] : ["opt_out_capturing"]);
}
