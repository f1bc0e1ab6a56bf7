//! JSON in `script` elements: data blocks, JSON-LD, the state that a framework leaves in its page.

use std::rc::Rc;

use super::{Bounds, Editor, Medium, Plan};
use crate::html::outcome::Skip;
use crate::html::text_editor::{TextEditor, TextEditorFactory};

/// What is done to the text of each script that a patch matches.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever renders a patch makes it")]
pub struct ScriptEdit {
    /// What.
    pub plan: Rc<Plan<String>>,
    /// The page's encoding.
    pub medium: Medium,
    /// How much is held.
    pub bounds: Bounds,
    /// Whether a value of the request is in it.
    pub dynamic: bool,
}

impl TextEditorFactory for ScriptEdit {
    fn is_chained(&self) -> bool {
        true
    }

    fn editor(
        &self,
        name: &str,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Box<dyn TextEditor>>, Skip> {
        let kind = if name == "script" { attribute("type") } else { None };
        match kind.as_deref().and_then(script_type) {
            None => Err(Skip::NotJson),
            Some(ScriptType::Loads) if self.dynamic => Err(Skip::UnsafeJson),
            Some(_) => Ok(Some(Box::new(Editor::new(Rc::clone(&self.plan), self.medium, self.bounds)))),
        }
    }
}

/// A type of script whose text is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScriptType {
    /// A data block: nothing happens by itself.
    Data,
    /// Import maps and speculation rules: which scripts and pages are loaded.
    Loads,
}

/// Reads a `type` attribute (WHATWG HTML § 4.12.1.1; the JSON MIME types of the MIME Sniffing Standard § 4.6).
fn script_type(value: &str) -> Option<ScriptType> {
    let value = value.trim_ascii();
    if value.eq_ignore_ascii_case("importmap") || value.eq_ignore_ascii_case("speculationrules") {
        return Some(ScriptType::Loads);
    }
    let essence = value.split(';').next().unwrap_or_default();
    is_json(essence).then_some(ScriptType::Data)
}

/// Whether a MIME type without its parameters is JSON (MIME Sniffing Standard § 4.6).
#[must_use]
pub fn is_json(essence: &str) -> bool {
    let essence = essence.trim_ascii().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    !kind.is_empty()
        && (matches!(essence.as_str(), "application/json" | "text/json")
            || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Change;

    #[test]
    fn only_scripts_that_are_json_are_edited() {
        let plan = Rc::new(Plan::new(vec![("/a".parse().unwrap(), Change::Set("1".to_owned()))]).unwrap());
        let refusal = |name: &str, kind: Option<&str>, dynamic| {
            let bounds = Bounds::holding(100);
            let edit = ScriptEdit { plan: Rc::clone(&plan), medium: Medium::Script(None), bounds, dynamic };
            let attribute = |name: &str| kind.filter(|_| name == "type").map(str::to_owned);
            edit.editor(name, &attribute).err()
        };
        let json = [
            "application/json",
            " Application/JSON ; charset=utf-8",
            "application/ld+json",
            "text/json",
            "application/vnd.x+json",
        ];
        for kind in json {
            assert_eq!(refusal("script", Some(kind), true), None, "{kind}");
        }
        for kind in ["ImportMap", "speculationrules"] {
            assert_eq!(refusal("script", Some(kind), false), None, "{kind}");
            assert_eq!(refusal("script", Some(kind), true), Some(Skip::UnsafeJson), "{kind}");
        }
        for kind in
            ["", "module", "text/javascript", "application/jsonp", "json", "+json", "application/+json"]
        {
            assert_eq!(refusal("script", Some(kind), false), Some(Skip::NotJson), "{kind}");
        }
        assert_eq!(refusal("script", None, false), Some(Skip::NotJson));
        assert_eq!(refusal("textarea", Some("application/json"), false), Some(Skip::NotJson));
    }
}
