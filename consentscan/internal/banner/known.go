package banner

// known are the banners of others, as their own documentation has sites set them up.
// Selectors that go by onclick are the links that it gives.
var known = []*product{
	{ // version 3
		name:     "vanilla-cookieconsent",
		cookie:   "cc_cookie",
		there:    `document.getElementById("cc-main") || window.CookieConsent?.showPreferences`,
		asks:     `#cc-main .cm`,
		accept:   []string{`#cc-main .cm [data-role="all"]`},
		refuse:   []string{`#cc-main .cm [data-role="necessary"]`},
		settings: []string{`#cc-main .cm [data-role="show"]`},
		reopen:   []string{`[data-cc="show-preferencesModal"]`, `[onclick*="showPreferences"]`},
		// A module is loaded once: an import gives the page's own.
		open: `async () => {
			const file = performance.getEntriesByType("resource").map(e => e.name).find(name => /cookieconsent[^\/]*\.js/.test(name));
			const api = window.CookieConsent ?? (file && await import(file).catch(() => {}));
			if (!api?.showPreferences) return false;
			api.showPreferences();
			return true;
		}`,
		panel:     `#cc-main .pm`,
		acceptAll: []string{`#cc-main .pm [data-role="all"]`},
		refuseAll: []string{`#cc-main .pm [data-role="necessary"]`},
		save:      []string{`#cc-main .pm [data-role="save"]`},
		choices: `
			const label = input => "#cc-main .pm label:has(> .section__toggle[value=" + JSON.stringify(input.value) + "]" + (input.dataset.category ? "[data-category=" + JSON.stringify(input.dataset.category) + "])" : ":not([data-category]))");
			return [...document.querySelectorAll("#cc-main .pm .section__toggle")].filter(input => !input.disabled).map(input => {
				const isInner = !!input.dataset.category, click = label(input), title = input.closest(".pm__section--toggle")?.querySelector(".pm__section-title");
				return {Names: [input.value, input.parentElement.textContent.trim()], Groups: [], Inner: isInner, On: input.checked, Allow: click, Refuse: click,
					Expand: isInner && title?.getAttribute("aria-controls") ? ".pm__section-title[aria-controls=" + JSON.stringify(title.getAttribute("aria-controls")) + "]" : ""};
			});`,
	},
	{
		name:     "klaro",
		cookie:   "klaro",
		there:    `document.querySelector(".klaro .cookie-notice, .klaro .cookie-modal") || window.klaro?.show`,
		asks:     `.klaro .cookie-notice:not(.cookie-notice-hidden), .klaro .cm-modal`,
		accept:   []string{`.klaro .cookie-notice .cm-btn-success`, `.klaro .cm-modal .cm-btn-accept-all`},
		refuse:   []string{`.klaro .cookie-notice .cn-decline`, `.klaro .cm-modal .cn-decline`},
		settings: []string{`.klaro .cookie-notice .cn-learn-more`, `.klaro .cookie-notice .cm-btn-info`},
		reopen:   []string{`[onclick*="klaro.show"]`},
		open:     `() => !!window.klaro?.show && (klaro.show(undefined, true), true)`,
		panel:    `.klaro .cm-modal`,
		// The other buttons are there only until the first answer.
		acceptAll: []string{`.klaro .cm-modal .cm-btn-accept-all`},
		refuseAll: []string{`.klaro .cm-modal .cn-decline`},
		save:      []string{`.klaro .cm-modal .cm-btn-accept`},
		choices: `
			const inputs = [...document.querySelectorAll(".klaro .cm-modal .cm-list-input")].filter(input => !input.disabled && !input.closest(".cm-toggle-all"));
			return inputs.map(input => {
				const label = input.id ? ".klaro .cm-modal label[for=" + JSON.stringify(input.id) + "]" : "", purpose = input.closest(".cm-service")?.closest(".cm-purpose")?.querySelector(":scope > .cm-list-input");
				return {Names: [input.id.replace(/^(purpose|service)-item-/, ""), input.nextElementSibling.querySelector(".cm-list-title").textContent.trim()],
					Groups: [], Inner: !!purpose, On: input.checked, Allow: label, Refuse: label,
					Expand: purpose ? ".klaro .cm-purpose:has(> [id=" + JSON.stringify(purpose.id) + "]) .cm-caret a" : ""};
			});`,
	},
	{
		name:      "tarteaucitron",
		cookie:    "tarteaucitron",
		there:     `document.getElementById("tarteaucitronRoot") || window.tarteaucitron?.userInterface`,
		asks:      `#tarteaucitronAlertBig`,
		accept:    []string{`#tarteaucitronAlertBig #tarteaucitronPersonalize2`},
		refuse:    []string{`#tarteaucitronAlertBig #tarteaucitronAllDenied2`},
		settings:  []string{`#tarteaucitronAlertBig #tarteaucitronCloseAlert`, `#tarteaucitronAlertBig #tarteaucitronPersonalize`},
		reopen:    []string{`#tarteaucitronManager`, `[href="#tarteaucitron"]`, `[onclick*="userInterface.openPanel"]`},
		open:      `() => !!window.tarteaucitron?.userInterface?.openPanel && (tarteaucitron.userInterface.openPanel(), true)`,
		panel:     `#tarteaucitron`,
		acceptAll: []string{`#tarteaucitron #tarteaucitronAllAllowed`},
		refuseAll: []string{`#tarteaucitron #tarteaucitronAllDenied`},
		close:     []string{`#tarteaucitron #tarteaucitronSaveButton`, `#tarteaucitronClosePanel`}, // each click is saved at once
		choices: `
			const on = e => e?.classList.contains("tarteaucitronIsAllowed") ? true : e?.classList.contains("tarteaucitronIsDenied") ? false : null;
			const by = id => "[id=" + JSON.stringify(id) + "]", text = e => e?.textContent.trim() ?? "";
			return [...document.querySelectorAll("#tarteaucitron [id^=tarteaucitronServicesTitle_]")].flatMap(group => {
				const key = group.id.replace("tarteaucitronServicesTitle_", ""), title = text(group.querySelector(".catToggleBtn")), allow = "tarteaucitron-accept-group-" + key;
				const services = [...group.querySelectorAll("[id^=tarteaucitronServices_] .tarteaucitronLine[id$=Line]")];
				if (key === "mandatory" || !services.length) return [];
				const isGrouped = !!document.getElementById(allow);
				return [
					...isGrouped ? [{Names: [key, title], Groups: [], Inner: false, On: on(document.getElementById("tarteaucitron-group-" + key)), Allow: by(allow), Refuse: by("tarteaucitron-reject-group-" + key), Expand: ""}] : [],
					...services.map(line => {
						const service = line.id.replace(/Line$/, "");
						return {Names: [service, text(line.querySelector(".tarteaucitronH3"))], Groups: isGrouped ? [] : [key, title], Inner: isGrouped, On: on(line),
							Allow: by(service + "Allowed"), Refuse: by(service + "Denied"), Expand: isGrouped ? by("tarteaucitron-toggle-group-" + key) : ""};
					}),
				];
			});`,
	},
	{ // its own theme, and that of the French state's design system
		name:      "orejime",
		cookie:    "eu-consent",
		there:     `document.querySelector(".orejime-Root, .orejime-Main") || window.orejime?.prompt`,
		asks:      `.orejime-Banner, .orejime-Modal, .orejime-Main .fr-consent-banner, .orejime-Main .fr-consent-manager`,
		accept:    []string{`.orejime-Banner .orejime-Banner-saveButton`, `.orejime-Main .fr-consent-banner__buttons li:nth-child(1) button`},
		refuse:    []string{`.orejime-Banner .orejime-Banner-declineButton`, `.orejime-Main .fr-consent-banner__buttons li:nth-child(2) button`},
		settings:  []string{`.orejime-Banner .orejime-Banner-learnMoreButton`, `.orejime-Main .fr-consent-banner__buttons li:nth-child(3) button`},
		reopen:    []string{`[onclick*="orejime.prompt"]`},
		open:      `() => !!window.orejime?.prompt && (orejime.prompt(), true)`,
		panel:     `.orejime-Modal, .orejime-Main .fr-consent-manager`,
		acceptAll: []string{`.orejime-PurposeToggles-enableAll:not([aria-disabled="true"])`, `label[for="orejime-purpose-orejime-global-accept"]`},
		refuseAll: []string{`.orejime-PurposeToggles-disableAll:not([aria-disabled="true"])`, `label[for="orejime-purpose-orejime-global-decline"]`},
		save:      []string{`.orejime-Modal-saveButton`, `.orejime-Main .fr-consent-manager__buttons .fr-btn`},
		choices: `
			const label = id => "label[for=" + JSON.stringify(id) + "]", text = e => e?.textContent.trim() ?? "";
			const own = [...document.querySelectorAll(".orejime-Modal .orejime-Purpose-input")].filter(input => !input.disabled).map(input => ({
				Names: [input.id.replace("orejime-purpose-", ""), text(document.getElementById(input.id + "-title"))], Groups: [],
				Inner: !!input.closest(".orejime-Purpose-children"), On: input.checked, Allow: label(input.id), Refuse: label(input.id), Expand: ""}));
			return [...own, ...[...document.querySelectorAll(".orejime-Main .fr-consent-service input[id$=-accept]")].flatMap(input => {
				const id = input.id.replace(/-accept$/, ""), decline = document.getElementById(id + "-decline");
				if (id === "orejime-purpose-orejime-global" || !decline || decline.disabled) return [];
				return [{Names: [id.replace("orejime-purpose-", ""), text(document.getElementById(id + "-legend"))], Groups: [],
					Inner: !!input.closest(".fr-consent-service__collapse"), On: input.checked ? true : decline.checked ? false : null, Allow: label(input.id), Refuse: label(decline.id), Expand: ""}];
			})];`,
	},
}
