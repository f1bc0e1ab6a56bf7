//! What kind of device a visitor holds, and whether the visitor is a program.
//!
//! Answers for: two coarse guesses, for layouts and for keeping robots out of experiments. It refuses to tell
//! browsers and models apart: pages that need to know that should ask for features. Everything it reads is
//! written by the visitor, so nothing that matters to security may depend on it.
//!
//! Client hints come first where a browser sends them (`Sec-CH-UA-Mobile`, `Sec-CH-UA-Platform`: Chromium's
//! low-entropy hints, sent without being asked for over HTTPS). The `User-Agent` text is read by tokens, in
//! the order of a table:
//!
//! - MDN, "Browser detection using the user agent": look for `Mobi` anywhere to find a phone; Android without
//!   it is a tablet.
//! - An iPad says `Macintosh` since iPadOS 13 and sends no hints: it is a desktop to us, which is what it
//!   asks for.
//! - Televisions and consoles are desktops: their layout is the wide one.
//!
//! Own tables rather than `woothee` 0.13, which answers more than we ask with `regex` and a data set of its
//! own; tokens that name what they stand for can be reviewed.

use http::HeaderMap;

/// How much of the text is searched; it bounds the time against a visitor who sends more than browsers do.
const MAX_TEXT_BYTES: usize = 1024;

/// The headers that [`Device::of`] reads: a page that differs by device differs by these.
pub const DEVICE_HEADERS: [&str; 3] = ["sec-ch-ua-mobile", "sec-ch-ua-platform", "user-agent"];

/// The headers that [`is_bot`] reads.
pub const BOT_HEADERS: [&str; 2] = ["sec-ch-ua", "user-agent"];

/// The kind of device a page is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Device {
    /// Computers, televisions, consoles, and whatever doesn't tell.
    Desktop,
    /// Phones.
    Mobile,
    /// Tablets and e-book readers.
    Tablet,
}

impl Device {
    /// Every kind, for cache keys over a closed set.
    pub const ALL: [Self; 3] = [Self::Desktop, Self::Mobile, Self::Tablet];

    /// The device that sent these headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let text = lowered(headers, "user-agent");
        let told = DEVICE_TOKENS.iter().find(|(token, _)| text.contains(token)).map(|(_, device)| *device);
        match (lowered(headers, "sec-ch-ua-mobile").trim(), lowered(headers, "sec-ch-ua-platform").trim()) {
            ("?1", _) => Self::Mobile,
            // Chromium on a tablet says that it isn't mobile, so the system decides; a television says so in
            // the text.
            ("?0", "\"android\"" | "\"ios\"") => {
                told.filter(|device| *device == Self::Desktop).unwrap_or(Self::Tablet)
            }
            ("?0", "") if told == Some(Self::Mobile) => Self::Tablet,
            ("?0", platform) if !platform.is_empty() => Self::Desktop,
            _ => told.unwrap_or(Self::Desktop),
        }
    }

    /// The value of the attribute: `desktop`, `mobile` or `tablet`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
        }
    }
}

/// Whether these headers are a program's: a crawler, a fetcher of previews, a monitor, a scripting tool, or a
/// client without a `User-Agent`, which no browser is. It finds programs that say so, not those that pretend.
#[must_use]
pub fn is_bot(headers: &HeaderMap) -> bool {
    let text = lowered(headers, "user-agent");
    text.trim().is_empty()
        || names_bot(&text)
        || BOT_TOKENS.iter().any(|token| text.contains(token))
        || lowered(headers, "sec-ch-ua").contains("headlesschrome")
}

/// Whether a word ends in `bot`, which most crawlers' names do (Googlebot, GPTBot, AhrefsBot); Cubot makes
/// phones.
fn names_bot(text: &str) -> bool {
    text.match_indices("bot").any(|(start, word)| {
        let (before, after) = (text.get(..start), text.get(start.saturating_add(word.len())..));
        !before.is_some_and(|before| before.ends_with("cu"))
            && !after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

fn lowered(headers: &HeaderMap, name: &str) -> String {
    let bytes = headers.get(name).map(|value| value.as_bytes()).unwrap_or_default();
    let bytes = bytes.get(..MAX_TEXT_BYTES).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

/// The first token found decides.
const DEVICE_TOKENS: [(&str, Device); 18] = [
    // Televisions run Android and Tizen, some with `Mobile`.
    ("smart-tv", Device::Desktop),
    ("smarttv", Device::Desktop),
    ("android tv", Device::Desktop),
    ("googletv", Device::Desktop),
    ("bravia", Device::Desktop),
    ("hbbtv", Device::Desktop),
    // Amazon, "Identify Fire TV devices": model names start with AFT.
    ("; aft", Device::Desktop),
    // Windows XP and 7 announced pen support this way.
    ("tablet pc", Device::Desktop),
    // Before `mobi`: an iPad's text had `Mobile` in it.
    ("ipad", Device::Tablet),
    ("tablet", Device::Tablet),
    ("kindle", Device::Tablet),
    ("playbook", Device::Tablet),
    ("mobi", Device::Mobile),
    ("iphone", Device::Mobile),
    ("ipod", Device::Mobile),
    ("opera mini", Device::Mobile),
    ("blackberry", Device::Mobile),
    ("android", Device::Tablet),
];

/// Programs whose names don't end in `bot`.
const BOT_TOKENS: [&str; 60] = [
    // Words that crawlers share.
    "crawl",
    "spider",
    // Google, "Overview of Google crawlers and fetchers".
    "apis-google",
    "mediapartners-google",
    "google-adwords",
    "google-inspectiontool",
    "google-read-aloud",
    "google-safety",
    "google-site-verification",
    "google favicon",
    "feedfetcher-google",
    "googleother",
    "chrome-lighthouse",
    "page speed insights",
    // Other search engines: Bing, Yahoo, Yandex (its browser says YaBrowser), Internet Archive.
    "bingpreview",
    "slurp",
    "+http://yandex.com/bots",
    "ia_archiver",
    "archive.org",
    // Assistants: OpenAI "Overview of OpenAI crawlers", Anthropic, Perplexity, Meta, Mistral, Amazon, Cohere.
    "chatgpt-user",
    "claude-user",
    "claude-web",
    "anthropic-ai",
    "perplexity-user",
    "meta-externalagent",
    "meta-externalfetcher",
    "mistralai-user",
    "cohere-ai",
    "bytespider",
    // Previews of links.
    "facebookexternalhit",
    "facebookcatalog",
    "whatsapp/",
    "skypeuripreview",
    "embedly",
    "vkshare",
    "w3c_validator",
    // Monitors.
    "pingdom",
    "statuscake",
    "uptime",
    "gtmetrix",
    "datadogsynthetics",
    "kube-probe",
    "elb-healthchecker",
    "googlehc/",
    // Browsers without a person (Chromium's own name, PhantomJS).
    "headlesschrome",
    "phantomjs",
    // Clients that scripts use, by the product name they send unless told otherwise.
    "curl/",
    "wget/",
    "python",
    "aiohttp/",
    "go-http-client/",
    "java/",
    "apache-httpclient/",
    "okhttp/",
    "libwww-perl/",
    "axios/",
    "node-fetch",
    "undici",
    "guzzlehttp/",
    "postmanruntime/",
];

#[cfg(test)]
mod tests;
