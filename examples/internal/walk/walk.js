// Goes the way of a visitor, and tells the server how it went. ALLOW and SHOW are the
// steps that differ from example to example.
const find = selector => document.querySelector(selector);
const until = async (what, isTrue) => {
	for (let attempts = 0; !isTrue(); attempts++) {
		if (attempts > 1800) throw new Error("there is no " + what);
		await new Promise(done => setTimeout(done, 33));
	}
};
const click = async selector => {
	await until(selector, () => find(selector));
	find(selector).click();
};
const not = (selector, when) => { if (find(selector)) throw new Error(`there is ${selector} ${when}`); };

addEventListener("load", async () => {
	let report = "";
	try {
		if (sessionStorage.hasWithdrawn) {
			await (SHOW)();
			not(".film", "after the withdrawal");
			not(".charter-banner", "after the withdrawal");
		} else {
			await until(".charter-banner", () => find(".charter-banner"));
			not(".film", "before consent");
			await (ALLOW)();
			await until(".film", () => find(".film")); // without a reload: this script still runs
			not(".meeting", "of a provider that nobody allowed");
			sessionStorage.hasWithdrawn = true;
			consent.open();
			await click("dialog.charter-settings [value=refuse]:not([type=radio])");
			return; // the page is loaded again
		}
	} catch (error) { report = error.message; }
	navigator.sendBeacon("/report", report);
});
