/// <reference path="../../../charter/script.d.ts" />

// What a site may write. Each line below an @ts-expect-error has a mistake that the types
// must find.

const end: () => void = consent.subscribe(({ detail }) => {
	const at: number | undefined = detail.at?.getTime();
	const hadDecided: boolean | undefined = detail.before?.decided;
	if (detail.allowed.statistics?.includes("Matomo")) console.log(at, hadDecided);
	// @ts-expect-error: a category may be one that nobody declared
	detail.allowed.statistics.includes("Matomo");
	// @ts-expect-error: the first event has no state before
	detail.before.decided;
});
end();

document.addEventListener("consent", event => console.log(event.detail.regime === "opt-out", event.detail.objection));
document.querySelector("button")?.addEventListener("click", window.consent.open);
window.consent.scan();

// As React's useSyncExternalStore takes them.
declare function useSyncExternalStore<T>(subscribe: (onChange: () => void) => () => void, snapshot: () => T): T;
const state: CookieCharter.State = useSyncExternalStore(consent.subscribe, () => consent.state);

// @ts-expect-error: only the visitor changes the state
consent.state = state;
// @ts-expect-error
consent.state.decided = true;
// @ts-expect-error
consent.state.allowed.statistics?.push("Matomo");
// @ts-expect-error: nothing was decided, perhaps
state.at.getTime();
// @ts-expect-error: no such law
state.regime === "gdpr";
// @ts-expect-error: no such method
consent.accept();
// @ts-expect-error
consent.subscribe();
// @ts-expect-error: no such field
document.addEventListener("consent", event => event.detail.categories);
