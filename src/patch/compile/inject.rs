//! What is put into head and body: `title`, `meta`, `script`, `style`, `link`.
//!
//! Scripts and styles are constants of the configuration. A visitor's value that became part of a script could not be
//! told from it by any policy, so values are data: JSON in an element that does not run.

use encoding_rs::Encoding;

use super::Compiler;
use crate::config::model::{self, CrossOrigin, FetchPriority, Place};
use crate::config::node::Path;
use crate::csp::{Hash, Url};
use crate::html::operation::{Dynamic, Landmark, Site};
use crate::patch::Action;
use crate::patch::element::{ElementEdit, Markup, Slot, Step};
use crate::patch::injection::{BreaksOut, Injection, Piece, breaks_out, json};
use crate::template::escape::markup;
use crate::template::{Escaped, Template};

/// `meta` elements by which a page tells the browser what it may do: not for values.
const STEERING_NAMES: &[&str] = &["referrer"];

impl Compiler<'_> {
    pub(super) fn injections(
        &mut self,
        index: usize,
        patch: &model::Patch,
        names: &[&'static str],
        path: &Path,
    ) -> Option<Action> {
        let others = [
            ("select", patch.select.is_some()),
            ("redirect", patch.redirect.is_some()),
            ("rewrite", patch.rewrite.is_some()),
            ("request_headers", patch.request_headers.is_some()),
            ("response_headers", patch.response_headers.is_some()),
        ];
        let named = names.join("`, `");
        for (other, _) in others.iter().filter(|(_, there)| *there) {
            self.report(path, format!("`{other}` and `{named}` can't be in one patch; write two"));
        }
        if patch.select.is_none() && (patch.edits_elements() || patch.all) {
            self.report(
                path,
                format!("edits of elements and `{named}` can't be in one patch; write two, the other with `select`"),
            );
        }
        let mut edits: Vec<(&'static str, Option<ElementEdit>)> = Vec::new();
        if let Some(title) = &patch.title {
            edits.push(("title", self.title(title, &path.clone().key("title"))));
        }
        if let Some(meta) = &patch.meta {
            edits.push(("meta", self.meta(meta, &path.clone().key("meta"))));
        }
        if let Some(script) = &patch.script {
            let id = data_id(patch.name.as_deref(), index);
            edits.push(("script", self.script(script, &id, &path.clone().key("script"))));
        }
        if let Some(style) = &patch.style {
            edits.push(("style", self.style(style, &path.clone().key("style"))));
        }
        if let Some(link) = &patch.link {
            edits.push(("link", self.link(link, &path.clone().key("link"))));
        }
        let several = edits.len() > 1;
        let edits = edits
            .into_iter()
            .map(|(name, edit)| edit.map(|edit| ElementEdit { part: several.then_some(name), ..edit }));
        edits.collect::<Option<Vec<_>>>().map(Action::Elements)
    }

    fn title(&mut self, source: &str, path: &Path) -> Option<ElementEdit> {
        let inner = self.text_template(source, path)?;
        let added = Injection {
            pieces: vec![
                Piece::Markup("<title>".to_owned()),
                Piece::Text(inner.clone()),
                Piece::Markup("</title>".to_owned()),
            ],
            needs_utf8: false,
        };
        let markup = Markup { template: Escaped::text(&inner), is_text: true, ..Markup::nothing() };
        let steps = vec![Step::Insert(Slot::Content, markup)];
        self.upsert("head > title", steps, (Landmark::HeadEnd, added), path)
    }

    fn meta(&mut self, meta: &model::MetaElement, path: &Path) -> Option<ElementEdit> {
        let keys = [
            ("name", &meta.name),
            ("property", &meta.property),
            ("http_equiv", &meta.http_equiv),
            ("charset", &meta.charset),
        ];
        let mut given = keys.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
        let (Some((key, value)), None) = (given.next(), given.next()) else {
            self.report(path, "a `meta` has one of `name`, `property`, `http_equiv` and `charset`");
            return None;
        };
        if key == "charset" {
            return self.meta_charset(value, meta.content.is_some(), path);
        }
        let attribute = if key == "http_equiv" { "http-equiv" } else { key };
        let value = self.literal(value, &path.clone().key(key))?;
        if value.trim().is_empty() || value.contains(char::is_control) {
            self.report(&path.clone().key(key), format!("\"{}\" names nothing", value.escape_debug()));
            return None;
        }
        let Some(content) = &meta.content else {
            self.report(path, "`content` is missing: it is what the `meta` says");
            return None;
        };
        let place = path.clone().key("content");
        let content = self.text_template(content, &place)?;
        let steers = key == "http_equiv"
            || (key == "name" && STEERING_NAMES.iter().any(|name| value.trim().eq_ignore_ascii_case(name)));
        if steers && content.constant().is_none() {
            self.report(
                &place,
                format!(
                    "values can't stand in the `content` of `{key}: {value}`, which tells browsers what to do; write one \
                     patch for each value, with `when`"
                ),
            );
            return None;
        }
        // With `http-equiv` beside it, `content` is not text.
        let only = if key == "http_equiv" { "" } else { ":not([http-equiv])" };
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let selector = format!("head > meta[{attribute}=\"{quoted}\" i]{only}");
        let mut open = String::from("<meta");
        push_attribute(&mut open, attribute, &value);
        open.push_str(" content=\"");
        let pieces = vec![Piece::Markup(open), Piece::Text(content.clone()), Piece::Markup("\">".to_owned())];
        let added = Injection { pieces, needs_utf8: false };
        self.upsert(&selector, vec![Step::SetMeta(content)], (Landmark::HeadEnd, added), path)
    }

    /// It counts within the first 1024 bytes only (WHATWG HTML § 4.2.5.4), so it is added at the very start.
    fn meta_charset(&mut self, label: &str, has_content: bool, path: &Path) -> Option<ElementEdit> {
        let place = path.clone().key("charset");
        let label = self.literal(label, &place)?;
        if Encoding::for_label_no_replacement(label.as_bytes()).is_none() {
            self.report(
                &place,
                format!("\"{}\" is not an encoding that browsers know; write `utf-8`", label.escape_debug()),
            );
            return None;
        }
        if has_content {
            self.report(path, "`charset` has no `content`; leave it out");
        }
        let mut added = String::from("<meta");
        push_attribute(&mut added, "charset", &label);
        added.push('>');
        let template = self.text_template(&label, &place)?;
        let steps = vec![Step::SetAttribute("charset".to_owned(), Escaped::text(&template), Dynamic::No)];
        self.upsert("head > meta[charset]", steps, (Landmark::HeadStart, Injection::markup(added)), path)
    }

    fn script(&mut self, script: &model::ScriptElement, id: &str, path: &Path) -> Option<ElementEdit> {
        let before = self.problems_so_far();
        let mut injection = Injection::default();
        if let Some(data) = &script.data {
            let mut open = String::from("<script type=\"application/json\"");
            push_attribute(&mut open, "id", id);
            open.push('>');
            let mut pieces = Data { pieces: vec![Piece::Markup(open)] };
            self.data(data, &path.clone().key("data"), &mut pieces);
            pieces.push("</script>");
            injection.pieces = pieces.pieces;
        }
        let fetched = script.src.is_some();
        let only_fetched = [
            ("async", script.is_async && script.script_type.as_deref() != Some("module")),
            ("defer", script.defer),
            ("integrity", script.integrity.is_some()),
            ("crossorigin", script.crossorigin.is_some()),
        ];
        for (key, _) in only_fetched.iter().filter(|(_, there)| *there && !fetched) {
            self.report(&path.clone().key(*key), format!("`{key}` does nothing without `src`; leave it out"));
        }
        let mut open = String::from("<script");
        for (key, value) in [("type", &script.script_type), ("src", &script.src)] {
            if let Some(value) = value {
                let place = path.clone().key(key);
                let value = self.literal(value, &place)?;
                if key == "src" {
                    self.check_url(&value, &place);
                }
                push_attribute(&mut open, key, &value);
            }
        }
        if let Some(integrity) = &script.integrity {
            self.integrity(integrity, &path.clone().key("integrity"), &mut open);
        }
        push_crossorigin(&mut open, script.crossorigin);
        open.push_str(if script.is_async { " async" } else { "" });
        open.push_str(if script.defer { " defer>" } else { ">" });
        match (&script.inline, fetched) {
            (Some(_), true) => {
                self.report(path, "a `script` with `src` has no `inline`; write two patches");
            }
            (Some(inline), false) => {
                let inline = self.constant_text(inline, "script", &path.clone().key("inline"))?;
                injection.needs_utf8 = !inline.is_ascii();
                injection.pieces.push(Piece::Markup(open + &inline + "</script>"));
            }
            (None, true) => injection.pieces.push(Piece::Markup(open + "</script>")),
            (None, false) if script.data.is_none() => {
                self.report(path, "a `script` needs `src`, `inline` or `data`");
            }
            (None, false) => {}
        }
        (self.problems_so_far() == before).then(|| insert(script.at, injection))
    }

    fn style(&mut self, style: &model::StyleElement, path: &Path) -> Option<ElementEdit> {
        let mut open = String::from("<style");
        if let Some(media) = &style.media {
            push_attribute(&mut open, "media", &self.literal(media, &path.clone().key("media"))?);
        }
        let inline = self.constant_text(&style.inline, "style", &path.clone().key("inline"))?;
        let needs_utf8 = !inline.is_ascii();
        let pieces = vec![Piece::Markup(format!("{open}>{inline}</style>"))];
        Some(insert(style.at, Injection { pieces, needs_utf8 }))
    }

    fn link(&mut self, link: &model::LinkElement, path: &Path) -> Option<ElementEdit> {
        let before = self.problems_so_far();
        let mut tag = String::from("<link");
        let texts = [
            ("rel", Some(&link.rel)),
            ("href", Some(&link.href)),
            ("as", link.destination.as_ref()),
            ("type", link.mime_type.as_ref()),
            ("media", link.media.as_ref()),
            ("sizes", link.sizes.as_ref()),
            ("hreflang", link.hreflang.as_ref()),
        ];
        for (key, value) in texts {
            let Some(value) = value else { continue };
            let place = path.clone().key(key);
            let value = self.literal(value, &place)?;
            match key {
                "rel" if value.trim().is_empty() => {
                    self.report(&place, "`rel` says nothing; write `preload`, `canonical`, …")
                }
                "href" => self.check_url(&value, &place),
                _ => {}
            }
            push_attribute(&mut tag, key, &value);
        }
        let preloads = link.rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("preload"));
        if preloads && link.destination.is_none() {
            self.report(path, "`as` is missing: browsers pass over a preload that does not say of what");
        }
        if let Some(integrity) = &link.integrity {
            self.integrity(integrity, &path.clone().key("integrity"), &mut tag);
        }
        push_crossorigin(&mut tag, link.crossorigin);
        if let Some(priority) = link.fetchpriority {
            let priority = match priority {
                FetchPriority::High => "high",
                FetchPriority::Low => "low",
                FetchPriority::Auto => "auto",
            };
            push_attribute(&mut tag, "fetchpriority", priority);
        }
        tag.push('>');
        (self.problems_so_far() == before).then(|| insert(link.at, Injection::markup(tag)))
    }

    fn upsert(
        &mut self,
        selector: &str,
        steps: Vec<Step>,
        fallback: (Landmark, Injection),
        path: &Path,
    ) -> Option<ElementEdit> {
        let selector = self.selector(selector, path)?;
        let site = Site::Elements { selector, all: false, skip_first: 0 };
        Some(ElementEdit { part: None, site, refusal: None, steps, fallback: Some(fallback) })
    }

    fn problems_so_far(&self) -> usize {
        self.problems.len()
    }

    /// A text without values.
    fn literal(&mut self, source: &str, path: &Path) -> Option<String> {
        let template = self.text_template(source, path)?;
        let text = template.constant().map(str::to_owned);
        if text.is_none() {
            self.report(path, "values can't stand here; write one patch for each value, with `when`");
        }
        text
    }

    /// The text of a `script` or `style` element, which it must not end.
    fn constant_text(&mut self, source: &str, element: &str, path: &Path) -> Option<String> {
        let template = self.text_template(source, path)?;
        let Some(text) = template.constant() else {
            let advice = if element == "script" {
                "put them under `data`, as JSON that the script reads"
            } else {
                "write one patch for each value, with `when`"
            };
            self.report(path, format!("values can't stand in a {element}; {advice}"));
            return None;
        };
        match breaks_out(element, text) {
            None => Some(text.to_owned()),
            Some(BreaksOut::EndTag) => {
                self.report(
                    path,
                    format!("`</{element}` ends the element wherever it stands; write `<\\/{element}`"),
                );
                None
            }
            Some(BreaksOut::Comment) => {
                self.report(path, "`<!--` changes where a browser sees the script end; write `<\\!--`");
                None
            }
        }
    }

    fn check_url(&mut self, url: &str, path: &Path) {
        if !Url::parse(url).is_fetched() {
            self.report(
                path,
                format!(
                    "\"{}\" is neither a path that starts with `/` nor an http or https URL",
                    url.escape_debug()
                ),
            );
        }
    }

    fn integrity(&mut self, metadata: &str, path: &Path, tag: &mut String) {
        if Hash::of_integrity(metadata).is_empty() {
            self.report(
                path,
                format!(
                    "\"{}\" has no hash that browsers know, such as `sha384-…`; they would check nothing",
                    metadata.escape_debug()
                ),
            );
        }
        push_attribute(tag, "integrity", metadata);
    }

    /// JSON in pieces; the texts in it are templates.
    fn data(&mut self, data: &serde_json::Value, path: &Path, out: &mut Data) {
        match data {
            serde_json::Value::String(source) => {
                let Some(template) = self.text_template(source, path) else { return };
                out.text(template);
            }
            serde_json::Value::Array(items) => {
                out.push("[");
                for (index, item) in items.iter().enumerate() {
                    out.push(if index > 0 { "," } else { "" });
                    self.data(item, &path.clone().index(index), out);
                }
                out.push("]");
            }
            serde_json::Value::Object(entries) => {
                out.push("{");
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push(if index > 0 { ",\"" } else { "\"" });
                    let mut escaped = String::new();
                    json(key, &mut escaped);
                    out.push(&escaped);
                    out.push("\":");
                    self.data(value, &path.clone().key(key), out);
                }
                out.push("}");
            }
            scalar => out.push(&scalar.to_string()),
        }
    }
}

/// JSON that is being written, constant pieces joined.
struct Data {
    pieces: Vec<Piece>,
}

impl Data {
    fn push(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Markup(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Markup(text.to_owned())),
        }
    }

    fn text(&mut self, template: Template) {
        self.push("\"");
        match template.constant() {
            Some(text) => {
                let mut escaped = String::new();
                json(text, &mut escaped);
                self.push(&escaped);
            }
            None => self.pieces.push(Piece::Json(template)),
        }
        self.push("\"");
    }
}

fn insert(at: Place, injection: Injection) -> ElementEdit {
    let landmark = match at {
        Place::HeadStart => Landmark::HeadStart,
        Place::HeadEnd => Landmark::HeadEnd,
        Place::BodyStart => Landmark::BodyStart,
        Place::BodyEnd => Landmark::BodyEnd,
    };
    let steps = vec![Step::Inject(injection)];
    ElementEdit { part: None, site: Site::Landmark(landmark), refusal: None, steps, fallback: None }
}

fn push_attribute(tag: &mut String, name: &str, value: &str) {
    tag.push(' ');
    tag.push_str(name);
    tag.push_str("=\"");
    markup(value, tag);
    tag.push('"');
}

fn push_crossorigin(tag: &mut String, crossorigin: Option<CrossOrigin>) {
    let value = match crossorigin {
        Some(CrossOrigin::Anonymous) => "anonymous",
        Some(CrossOrigin::UseCredentials) => "use-credentials",
        None => return,
    };
    push_attribute(tag, "crossorigin", value);
}

/// The id under which a script finds its data: by the patch's name, if it can be part of an id that needs no escaping anywhere.
fn data_id(name: Option<&str>, index: usize) -> String {
    let plain = |name: &&str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match name.filter(plain) {
        Some(name) => format!("engraft-data-{name}"),
        None => format!("engraft-data-{index}"),
    }
}

#[cfg(test)]
mod tests;
