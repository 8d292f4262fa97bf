// The types of what the charter's script gives to a page: window.consent, and the event
// "consent" on document. Copy this file among your sources, or name it in the "files" or
// "include" of your tsconfig.json.

declare namespace CookieCharter {
	/** What a visitor has decided. The object is the same until something changes. */
	interface State {
		/** The visitor has answered for everything that is declared now. */
		readonly decided: boolean;

		/** When the visitor decided; null if nothing was decided. */
		readonly at: Date | null;

		/** The law that the visitor is under. */
		readonly regime: "opt-in" | "uk" | "opt-out" | "none";

		/**
		 * The providers that are allowed, by category, with those that the law presumes to be.
		 * A category that nobody declared is not there.
		 */
		readonly allowed: { readonly [category: string]: readonly string[] | undefined };

		/** The visitor objects to anonymous statistics. */
		readonly objection: boolean;
	}

	/** What the event "consent" tells: the state, and the one until then. */
	interface Change extends State {
		/** Not there in the first event of a page. */
		readonly before?: State;
	}

	/** The methods need no "this", so that they can be handed on as they are. */
	interface Consent {
		readonly state: State;

		/** Opens the settings over the page. */
		readonly open: () => void;

		/** Opens the gates that are allowed. The script does so by itself when some come into the page. */
		readonly scan: () => void;

		/** Has a listener be told of each change, and returns the end of that. */
		readonly subscribe: (listener: (event: CustomEvent<Change>) => void) => () => void;
	}
}

interface Window {
	/** There once the charter's script has run, which is before deferred scripts below it. */
	readonly consent: CookieCharter.Consent;
}

/** window.consent. */
declare const consent: CookieCharter.Consent;

interface DocumentEventMap {
	/** At the beginning of a page, and after each change of the visitor's decision. */
	consent: CustomEvent<CookieCharter.Change>;
}
