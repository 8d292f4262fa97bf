package consent

import "github.com/cookiecharter/consent/internal/policy"

// A Category says what a cookie is for, and with it whether a visitor is asked.
//
// The four categories below are those of French cookie charters. A site may
// add its own, written in lower-case letters, digits and hyphens; a category
// of the site's own always needs consent.
type Category string

const (
	// Necessary cookies carry the service that the visitor asked for: baskets,
	// logins, interface settings. They are exempt from consent (Directive
	// 2002/58/EC, article 5(3); article 82 of the French loi n° 78-17).
	Necessary Category = "necessary"

	// Statistics cookies measure the audience. They are exempt only if they are
	// anonymous, so that no person can be found again (CNIL, guidelines of 17
	// September 2020, part on audience measurement).
	Statistics Category = "statistics"

	// FirstParty cookies are set by the visited site itself beyond what is
	// necessary: behaviour, advertising of its own. They need consent.
	FirstParty Category = "first-party"

	// ThirdParty cookies are set by or for another site. They need consent.
	ThirdParty Category = "third-party"
)

// These categories say what a cookie is for, if a site wants to ask by purpose and not
// by who sets the cookie (EDPB guidelines 05/2020 on consent, §§ 42 to 44). They need
// consent, and the charter has a title and a sentence for each.
const (
	AudienceMeasurement Category = "audience-measurement"
	Personalisation     Category = "personalisation"
	Advertising         Category = "advertising"
	SocialNetworks      Category = "social-networks"
	EmbeddedMedia       Category = "embedded-media"
	Chat                Category = "chat"

	// Appearance is for what keeps how a visitor wants the site to look or to work,
	// beyond what is necessary.
	Appearance Category = "appearance"
)

// NeedsConsent reports whether c may reach a browser only with the visitor's
// consent. It is the one rule of the library: necessary cookies are exempt,
// so are anonymous statistics, and everything else needs consent.
func (c Cookie) NeedsConsent() bool { return c.need() == policy.Consent }

// need is the rule, with what exempt statistics wait for: that nobody objects.
func (c Cookie) need() policy.Need {
	switch {
	case c.Category == Necessary:
		return policy.Nothing
	case c.Category == Statistics && c.Anonymous:
		return policy.NoObjection
	default:
		return policy.Consent
	}
}

// wellFormed reports whether c is one or more lower-case letters, digits and
// hyphens.
func (c Category) wellFormed() bool {
	for _, r := range c {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return c != ""
}

// builtIn reports whether c is one of the categories above. A choice may name these
// even if nothing is declared in them.
func (c Category) builtIn() bool {
	switch c {
	case Necessary, Statistics, FirstParty, ThirdParty,
		AudienceMeasurement, Personalisation, Advertising, SocialNetworks, EmbeddedMedia, Chat, Appearance:
		return true
	default:
		return false
	}
}
