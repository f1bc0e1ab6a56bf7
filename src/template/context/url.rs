//! Places in URLs (WHATWG URL § 4.4, RFC 3986): a value may be a whole URL, stand in its path, its query or its fragment, but
//! never in its scheme or its host.

use super::machine::{Event, Refusal, Slot};
use crate::template::escape::{SCHEMES, UrlPart};
use crate::template::expression::Expression;

/// A URL that is being read.
#[derive(Debug, Default)]
pub(super) struct Url {
    state: State,
    /// It may not start with a value.
    fixed: bool,
    /// A value stands at the start.
    open: bool,
    /// The last value, where nothing but `/` stands before it, and nothing behind it.
    after_slash: Option<Slot>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// Letters that are a scheme if `:` follows, and the last value among them.
    Scheme(String, Option<Slot>),
    /// One `/` at the start.
    Slash,
    /// Behind `http:`, before the host.
    Slashes,
    Host,
    Path,
    Opaque,
    Query,
    /// A scheme that takes no values.
    Foreign,
}

const SCHEME_OF_VALUE: Refusal = Refusal {
    what: ", before a `:`, so it could be a scheme",
    advice: "write the scheme in full, or put `./` before the value",
};

impl Url {
    /// `fixed`: where it leads must be constant.
    pub(super) fn new(fixed: bool) -> Self {
        Self { fixed, ..Self::default() }
    }

    /// Whether a value decides where it leads.
    pub(super) const fn origin_is_open(&self) -> bool {
        self.open
    }

    pub(super) fn read(&mut self, c: char) -> Option<Event> {
        // Browsers take these out wherever they stand.
        if matches!(c, '\t' | '\n' | '\r') {
            return None;
        }
        let after_slash = self.after_slash.take();
        let mut event = None;
        self.state = match std::mem::take(&mut self.state) {
            State::Start if c <= ' ' => State::Start,
            State::Start | State::Scheme(..) if matches!(c, '?' | '#') => State::Query,
            State::Start if matches!(c, '/' | '\\') => State::Slash,
            State::Scheme(..) if matches!(c, '/' | '\\') => State::Path,
            State::Scheme(_, Some(slot)) if c == ':' => {
                event = Some(Event::Refuse(slot, SCHEME_OF_VALUE));
                State::Foreign
            }
            State::Start if c == ':' => State::Foreign,
            State::Scheme(scheme, None) if c == ':' => match scheme.as_str() {
                "http" | "https" => State::Slashes,
                known if SCHEMES.contains(&known) => State::Opaque,
                _ => State::Foreign,
            },
            State::Start => State::Scheme(c.to_ascii_lowercase().to_string(), None),
            State::Scheme(mut scheme, slot) => {
                scheme.push(c.to_ascii_lowercase());
                State::Scheme(scheme, slot)
            }
            // `//` is followed by a host, and so is `/\`.
            State::Slash if matches!(c, '/' | '\\') => State::Slashes,
            State::Slashes if matches!(c, '/' | '\\') => State::Slashes,
            State::Slash | State::Path | State::Host | State::Opaque if matches!(c, '?' | '#') => {
                State::Query
            }
            State::Slashes => State::Host,
            State::Host if matches!(c, '/' | '\\') => State::Path,
            State::Slash | State::Path => {
                // An empty value would leave `//`.
                event = after_slash.filter(|_| matches!(c, '/' | '\\')).map(Event::NeverEmpty);
                State::Path
            }
            other => other,
        };
        event
    }

    pub(super) fn value(&mut self, expression: &Expression, slot: Slot) -> Result<UrlPart, Refusal> {
        if expression.url_encodes() {
            return Err(Refusal {
                what: ", where values are percent-encoded anyway",
                advice: "leave `urlencode` out",
            });
        }
        let whole_path = expression.is_request_path();
        let part = UrlPart::Path { never_empty: false };
        let after_slash = self.after_slash.take();
        let (state, part) = match std::mem::take(&mut self.state) {
            // It starts with one slash, whatever it is.
            State::Start if whole_path => {
                self.after_slash = Some(slot);
                (State::Path, UrlPart::RequestPath { never_empty: false })
            }
            State::Start if self.fixed => {
                return Err(Refusal {
                    what: ", at its start, and would decide where it leads",
                    advice: "write the URL in full up to the path",
                });
            }
            State::Start => {
                self.open = true;
                (State::Scheme(String::new(), Some(slot)), UrlPart::Whole)
            }
            State::Scheme(scheme, _) => (State::Scheme(scheme, Some(slot)), part),
            State::Slash => {
                self.after_slash = Some(slot);
                (State::Path, part)
            }
            State::Path if after_slash.is_some() => {
                self.after_slash = Some(slot);
                (State::Path, part)
            }
            State::Path | State::Host if whole_path => {
                (State::Path, UrlPart::RequestPath { never_empty: false })
            }
            State::Path => (State::Path, part),
            State::Opaque => (State::Opaque, UrlPart::Opaque),
            State::Query => (State::Query, UrlPart::Component),
            State::Slashes | State::Host => {
                return Err(Refusal {
                    what: ", in the host of the URL",
                    advice: "write the host in full; a value may stand in the path or the query",
                });
            }
            State::Foreign => {
                return Err(Refusal {
                    what: ", in a URL whose scheme is none of http, https, mailto and tel",
                    advice: "write one patch for each value, with `when`, and the URL in full",
                });
            }
        };
        self.state = state;
        Ok(part)
    }
}

/// The candidates of a `srcset` (WHATWG HTML § 4.8.4.2.2): URLs with descriptors, separated by commas.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    url: Url,
    state: Candidate,
    /// What came last was a comma.
    comma: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Candidate {
    /// Before a URL.
    #[default]
    Before,
    Url,
    Descriptor,
}

impl Candidates {
    pub(super) fn read(&mut self, c: char) -> Option<Event> {
        let comma = std::mem::replace(&mut self.comma, c == ',');
        match self.state {
            Candidate::Before if c.is_ascii_whitespace() || c == ',' => None,
            Candidate::Url if c.is_ascii_whitespace() => {
                self.state = if comma { Candidate::Before } else { Candidate::Descriptor };
                None
            }
            Candidate::Before | Candidate::Url => {
                if self.state == Candidate::Before {
                    self.url = Url::default();
                    self.state = Candidate::Url;
                }
                self.url.read(c)
            }
            Candidate::Descriptor => {
                if c == ',' {
                    self.state = Candidate::Before;
                }
                None
            }
        }
    }

    pub(super) fn value(&mut self, expression: &Expression, slot: Slot) -> Result<UrlPart, Refusal> {
        match self.state {
            Candidate::Before => {
                self.url = Url::default();
                self.state = Candidate::Url;
            }
            Candidate::Url => {}
            Candidate::Descriptor => {
                return Err(Refusal {
                    what: ", in the descriptor of a candidate",
                    advice: "write widths and densities in full",
                });
            }
        }
        self.comma = false;
        self.url.value(expression, slot)
    }
}
