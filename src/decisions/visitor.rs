//! Who a visitor is, and whether anything is tried out on them.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::Value;

use super::set_cookie::{MAX_AGE_SECONDS, SetCookie};
use crate::config::model::{self, Bots};
use crate::decide::condition::{Attributes, coercion};
use crate::request::attributes::Values;
use crate::request::cookies::cookie;
use crate::request::user_agent::is_bot;

const DEFAULT_MAX_AGE_SECONDS: u32 = 365 * 24 * 60 * 60;
/// The longest id; a longer one is none.
pub const MAX_ID_BYTES: usize = 256;

/// What a configuration says of visitors.
#[derive(Debug, Default)]
pub struct Visitors {
    pub(super) id: Option<model::VisitorId>,
    pub(super) consent: Option<model::Consent>,
    pub(super) bots: Bots,
    pub(super) sticky: Option<model::StickyCookies>,
}

/// What is done for a visitor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever decides must handle each")]
pub enum Standing {
    /// Experiments are run, and reported.
    #[default]
    Visitor,
    /// A bot: first variations, and no report.
    Bot,
    /// A bot, which gets no patch that reads a decision.
    LeftAlone,
    /// They have not agreed: first variations, no report, and no id.
    NoConsent,
}

/// Who a visitor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id {
    /// They have it.
    Known(String),
    /// They get it.
    Minted(String),
}

impl Visitors {
    /// The attributes that ids come from.
    pub(super) fn reads(&self) -> impl Iterator<Item = &str> {
        self.id.iter().flat_map(|id| &id.from).map(String::as_str)
    }

    pub(super) fn standing(&self, headers: &HeaderMap) -> Standing {
        match self.bots {
            Bots::Control if is_bot(headers) => Standing::Bot,
            Bots::Skip if is_bot(headers) => Standing::LeftAlone,
            _ if self.consents(headers) => Standing::Visitor,
            _ => Standing::NoConsent,
        }
    }

    fn consents(&self, headers: &HeaderMap) -> bool {
        let Some(consent) = &self.consent else { return true };
        let Some(said) = cookie(headers, &consent.cookie) else { return false };
        let said = percent_encoding::percent_decode_str(&said).decode_utf8_lossy();
        match (&consent.equals, &consent.contains) {
            (Some(all), _) => said == all.as_str(),
            (None, Some(part)) => said.contains(part.as_str()),
            (None, None) => false,
        }
    }

    /// The visitor's id. `random` is what a new one is made of, where one may be minted.
    pub(super) fn id(&self, values: &Values, headers: &HeaderMap, random: Option<u128>) -> Option<Id> {
        let id = self.id.as_ref()?;
        let read = id.from.iter().filter_map(|name| match values.attribute(name)? {
            value @ (Value::String(_) | Value::Number(_)) => Some(coercion::text(value).into_owned()),
            _ => None,
        });
        let own = id.cookie.as_ref().and_then(|name| cookie(headers, name)).map(Cow::into_owned);
        let known = read.chain(own).find(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES);
        if let Some(known) = known {
            return Some(Id::Known(known));
        }
        let random = random.filter(|_| id.cookie.is_some() && !id.never_mint)?;
        let uuid = uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid();
        Some(Id::Minted(uuid.hyphenated().to_string()))
    }

    /// What keeps a minted id.
    pub(super) fn keep(&self, minted: &str) -> Option<http::HeaderValue> {
        let id = self.id.as_ref()?;
        let cookie = SetCookie {
            name: id.cookie.as_deref()?,
            value: minted,
            max_age_seconds: id
                .max_age
                .map_or(DEFAULT_MAX_AGE_SECONDS, |age| age.seconds())
                .min(MAX_AGE_SECONDS),
            domain: id.domain.as_deref(),
            http_only: !id.readable_by_scripts,
        };
        cookie.value()
    }
}
