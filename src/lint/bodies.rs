//! Patches on bodies that their route does not have, as far as that is known: by the end of its path, by its methods, and by what
//! it reads as HTML.

use super::{Lint, Part};
use crate::config::model::StringMatcher;
use crate::config::problem::Code;
use crate::exchange::gate::Kind;
use crate::json::script::is_json;

impl Lint<'_> {
    pub(super) fn bodies(&mut self, part: &Part<'_>) {
        self.without_bodies(part);
        self.of_other_paths(part);
        self.json_as_html(part);
    }

    fn without_bodies(&mut self, part: &Part<'_>) {
        let Some(matches) = &part.written.matches else { return };
        if matches.methods.is_empty() || matches.methods.iter().any(|method| method != "HEAD") {
            return;
        }
        for (path, _, _) in
            part.patches().filter(|(_, _, patch)| patch.edits_elements() || patch.edits_json())
        {
            let message = "the answer to HEAD has no body, and the route is for nothing else; add `GET` to `methods`, or take the patch out";
            self.add(Code::UnmatchedContentType, path, message);
        }
    }

    fn of_other_paths(&mut self, part: &Part<'_>) {
        let path_matcher = part.written.matches.as_ref().and_then(|matches| matches.path.as_ref());
        let Some(end) = path_matcher.and_then(extension) else { return };
        let Some(kind) = kind(&end) else { return };
        // Whoever names content types may well serve HTML under any name.
        let reads_more = !part.written.content_types.is_empty();
        for (path, written, patch) in part.patches() {
            let (field, needed) = if patch.edits(Kind::Json) {
                ("json", Kind::Json)
            } else if patch.edits(Kind::Html) && !reads_more {
                (if written.json.is_some() { "json" } else { "select" }, Kind::Html)
            } else {
                continue;
            };
            if kind == Some(needed) {
                continue;
            }
            let needed = match needed {
                Kind::Html => "HTML",
                Kind::Json => "JSON",
            };
            let message = format!(
                "the patch is for {needed}, and paths of this route end in `.{end}`; move it to a route whose responses are {needed}, or \
                 name what they are in `content_types`"
            );
            self.add(Code::UnmatchedContentType, path.key(field), message);
        }
    }

    fn json_as_html(&mut self, part: &Part<'_>) {
        let Some((_, _, patch)) = part.patches().find(|(_, _, patch)| patch.edits_json()) else { return };
        for (index, name) in part.route.content_types.iter().enumerate().filter(|(_, name)| is_json(name)) {
            let message = format!(
                "`{name}` is read as HTML here, so patch {}, which is for JSON, never meets it; take it out of `content_types`",
                patch.label
            );
            self.add(
                Code::UnmatchedContentType,
                part.path.clone().key("content_types").index(index),
                message,
            );
        }
    }
}

/// What all paths end in, behind the last dot.
fn extension(path: &StringMatcher) -> Option<String> {
    let end = path.exact.as_deref().or(path.suffix.as_deref())?;
    let (_, end) = end.rsplit('/').next()?.rsplit_once('.')?;
    (!end.is_empty()).then(|| end.to_ascii_lowercase())
}

/// What responses under such a name are, by the types that servers give them: HTML, JSON, or neither; `None` where any of them would
/// do.
#[expect(clippy::option_option, reason = "unknown, and known to be neither, are two things")]
fn kind(extension: &str) -> Option<Option<Kind>> {
    const OTHERS: &[&str] = &[
        "aac", "atom", "avif", "bmp", "css", "csv", "eot", "gif", "gz", "ico", "jpeg", "jpg", "js", "mjs",
        "mov", "mp3", "mp4", "ogg", "otf", "pdf", "png", "rss", "svg", "tar", "tif", "tiff", "ttf", "txt",
        "wasm", "wav", "webm", "webp", "woff", "woff2", "xml", "zip",
    ];
    match extension {
        "html" | "htm" | "xhtml" | "xht" => Some(Some(Kind::Html)),
        "json" | "jsonld" | "geojson" | "webmanifest" => Some(Some(Kind::Json)),
        other if OTHERS.contains(&other) => Some(None),
        _ => None,
    }
}
