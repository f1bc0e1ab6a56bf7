//! Parts of URLs, whole ones and those that start with a path. Fragments are left out.

use crate::request::authority;
use crate::request::target::Target;

/// The host in lower case, without port.
pub(super) fn host(url: &str) -> Option<String> {
    let (authority, _) = split(url);
    let authority = authority?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(authority::host(host).into_owned()).filter(|host| !host.is_empty())
}

/// The path, as it is written.
pub(super) fn path(url: &str) -> Option<String> {
    let (authority, target) = split(url);
    let path = target.split('?').next().unwrap_or_default();
    let path = if path.is_empty() && authority.is_some() { "/" } else { path };
    (!path.is_empty()).then(|| path.to_owned())
}

/// The first parameter of this name, decoded.
pub(super) fn parameter(url: &str, name: &str) -> Option<String> {
    Target::parse(split(url).1).parameter(name).map(Into::into)
}

/// The authority, if there is one, and what follows it, without the fragment.
fn split(url: &str) -> (Option<&str>, &str) {
    let url = url.split('#').next().unwrap_or_default();
    let after_scheme = url
        .split_once("://")
        .filter(|(scheme, _)| !scheme.contains(['/', '?']))
        .map(|(_, rest)| rest)
        .or_else(|| url.strip_prefix("//"));
    match after_scheme {
        Some(rest) => {
            let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(authority), target)
        }
        None => (None, url),
    }
}
