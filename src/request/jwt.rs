//! Claims of JSON Web Tokens (RFC 7519), read without looking at the signature.
//!
//! The attack that this allows: anybody can write a token. Whoever reads a claim has to say so in the configuration, or has a
//! filter in front that verifies tokens and refuses others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::decide::condition::coercion;

/// The longest token that is looked into.
pub const MAX_BYTES: usize = 8 * 1024;

/// The text or number that the claim of this name holds; `None` where there is no such token or claim. `Bearer` before the token
/// is passed over (RFC 6750 § 2.1).
///
/// ```
/// // {"alg":"none"}.{"sub":"u-1","age":7}
/// let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEiLCJhZ2UiOjd9.";
/// assert_eq!(engraft::request::jwt::claim(token, "sub").as_deref(), Some("u-1"));
/// assert_eq!(engraft::request::jwt::claim(&format!("Bearer {token}"), "age").as_deref(), Some("7"));
/// assert_eq!(engraft::request::jwt::claim(token, "name"), None);
/// ```
#[must_use]
pub fn claim(text: &str, name: &str) -> Option<String> {
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => return None,
        None => text,
    };
    if token.len() > MAX_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
    match claims.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        number @ Value::Number(_) => Some(coercion::text(number).into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in [
            "",
            "a",
            "a.b",
            "a.b.c",
            "Basic dXNlcjpwYXNz",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEiLCJhZ2UiOjd9..",
            // {"sub":""} and {"sub":null}
            "x.eyJzdWIiOiIifQ.y",
            "x.eyJzdWIiOm51bGx9.y",
            // ["sub"]
            "x.WyJzdWIiXQ.y",
        ] {
            assert_eq!(claim(text, "sub"), None, "{text}");
        }
        let long = format!("x.{}.y", "A".repeat(MAX_BYTES));
        assert_eq!(claim(&long, "sub"), None);
    }
}
