//! The parameters that advertisers and mailers add to links: `tracking` in `cache.query.drop`.
//!
//! Scripts on the page read them in the browser, where the address keeps them; no page is built from them. Each is here
//! because the party that adds it says so; docs/cache-key.md has the table.

/// Who adds it, and what it is called.
pub const TRACKING: [(&str, &[&str]); 20] = [
    ("Google Analytics: campaigns", &["utm_*"]),
    ("Google Analytics: linker between domains", &["_ga", "_gl"]),
    ("Google Ads: click", &["gclid", "gclsrc", "gbraid", "wbraid", "gad_source", "gad_campaignid"]),
    ("Google Campaign Manager: click", &["dclid"]),
    ("Google Merchant Center: result", &["srsltid"]),
    ("Meta: click", &["fbclid"]),
    ("Instagram: shared link", &["igshid", "igsh"]),
    ("Microsoft Advertising: click", &["msclkid"]),
    ("TikTok: click", &["ttclid"]),
    ("X: click", &["twclid"]),
    ("LinkedIn: click", &["li_fat_id"]),
    ("Pinterest: click", &["epik"]),
    ("Snapchat: click", &["ScCid"]),
    ("Reddit: click", &["rdt_cid"]),
    ("Yandex Direct, Yahoo! JAPAN Ads: click", &["yclid"]),
    ("Mailchimp: campaign, recipient", &["mc_cid", "mc_eid"]),
    ("HubSpot: recipient", &["_hsenc", "_hsmi"]),
    ("Klaviyo: recipient", &["_kx"]),
    ("Marketo: recipient", &["mkt_tok"]),
    ("Matomo: campaigns", &["mtm_*", "pk_campaign", "pk_kwd"]),
];
