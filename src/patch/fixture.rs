//! A patch of a whole page, done by hand: tags and texts one by one, without a page around them.

use std::rc::Rc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Action;
use super::element::ElementEdit;
use crate::engine::Engine;
use crate::html::charset::Charset;
use crate::html::operation::{ElementPatch, Operation};
use crate::html::tag_rewrite::{AttributeChange, TagView};
use crate::html::text_editor::{TextEdit, TextEditor, TextEditorFactory, TextOutcome};
use crate::request::RequestHead;
use crate::request::attributes::Values;

/// A configuration with one patch, and a request for `https://shop.example/a/b.html?c`.
#[derive(Debug)]
pub(crate) struct Fixture {
    engine: Engine,
    values: Values,
}

/// A configuration with this patch, indented or not.
pub(crate) fn config(patch: &str) -> String {
    let patch: String = patch.lines().map(|line| format!("          {line}\n")).collect();
    format!("version: 1\nroutes:\n  - name: all\n    patches:\n        -\n{patch}")
}

/// What is wrong with a patch, a line each.
pub(crate) fn problems(patch: &str) -> String {
    Engine::load(config(patch).as_bytes()).map(|_| ()).unwrap_err().to_string()
}

impl Fixture {
    pub(crate) fn new(patch: &str) -> Self {
        let engine = Engine::load(config(patch).as_bytes()).unwrap_or_else(|e| panic!("{e}")).engine;
        let request = RequestHead {
            scheme: "https".into(),
            authority: "Shop.example:443".into(),
            path: "/a/b.html?c".into(),
            ..RequestHead::default()
        };
        let values = engine.attributes().read(&engine.routes()[0].reads, &request, &[]);
        Self { engine, values }
    }

    fn patch(&self) -> &super::Patch {
        &self.engine.routes()[0].patches[0]
    }

    /// The parts of the patch, by their names, made ready for one page.
    pub(crate) fn parts(&self, charset: Charset) -> Vec<(&'static str, ElementPatch)> {
        let Action::Elements(edits) = &self.patch().action else { panic!("no edits of the page") };
        let part = |edit: &ElementEdit| (edit.part.unwrap(), edit.render(&self.values, charset));
        edits.iter().map(part).collect()
    }

    /// The only part, for one page.
    pub(crate) fn page(&self) -> Page {
        self.page_in(Charset::from_label(b"utf-8").unwrap())
    }

    pub(crate) fn page_in(&self, charset: Charset) -> Page {
        let mut parts = self.parts(charset);
        assert_eq!(parts.len(), 1);
        Page(parts.remove(0).1.operations)
    }

    /// The headers that a response with these has afterwards.
    pub(crate) fn headers(&self, headers: &[(&str, &str)], is_page: bool) -> Vec<(String, String)> {
        let name = |name: &str| HeaderName::try_from(name).unwrap();
        let mut map: HeaderMap =
            headers.iter().map(|(n, v)| (name(n), HeaderValue::try_from(*v).unwrap())).collect();
        for edit in self.patch().head.edits(&self.values, &map, is_page) {
            edit.apply(&mut map);
        }
        map.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect()
    }
}

/// The operations on one page.
#[derive(Debug)]
pub(crate) struct Page(pub(crate) Vec<Operation>);

impl Page {
    /// What becomes of a start tag: its changed attributes.
    pub(crate) fn tag(
        &self,
        name: &str,
        html: bool,
        attributes: &[(&str, &str)],
    ) -> Vec<(String, Option<String>)> {
        let mut changes = Vec::new();
        for operation in &self.0 {
            let Operation::RewriteTag(rewrite) = operation else { continue };
            let attributes: Vec<(String, String)> = attributes
                .iter()
                .filter(|(name, _)| rewrite.attributes().contains(name))
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert!(rewrite.attributes().iter().all(|it| *it == it.to_ascii_lowercase()));
            let tag = TagView { name, html, attributes: &attributes };
            changes.extend(rewrite.rewrite(&tag).unwrap().into_iter().map(|change| match change {
                AttributeChange::Set(name, value) => (name.into_owned(), Some(value)),
                AttributeChange::Remove(name) => (name.into_owned(), None),
            }));
        }
        changes
    }

    /// What becomes of one attribute of an HTML element.
    pub(crate) fn attribute(&self, element: &str, name: &str, value: &str) -> Option<String> {
        let changes = self.tag(element, true, &[(name, value)]);
        assert!(changes.len() <= 1);
        changes.into_iter().next().and_then(|(changed, value)| value.filter(|_| changed == name))
    }

    fn factory(&self) -> Rc<dyn TextEditorFactory> {
        let mut factories = self.0.iter().filter_map(|operation| match operation {
            Operation::EditText(factory) => Some(Rc::clone(factory)),
            _ => None,
        });
        factories.next().unwrap()
    }

    /// The editor for an element.
    pub(crate) fn editor(&self, name: &str, kind: Option<&str>) -> Option<Box<dyn TextEditor>> {
        let attribute = |name: &str| kind.filter(|_| name == "type").map(str::to_owned);
        self.factory().editor(name, &attribute).unwrap()
    }

    /// What becomes of a style sheet that comes in these pieces.
    pub(crate) fn sheet(&self, pieces: &[&[u8]]) -> (Vec<u8>, TextOutcome) {
        const START: u64 = 1000;
        let mut editor = self.editor("style", None).unwrap();
        let (mut edits, mut at, mut left) = (Vec::new(), START, START);
        for piece in pieces {
            let before = edits.len();
            editor.write(piece, at, &mut edits);
            check(&edits[before..], left);
            at += piece.len() as u64;
            let open = editor.open_from().unwrap_or(at);
            assert!(left <= open && open <= at, "what has left can't be edited any more");
            left = open;
        }
        let before = edits.len();
        editor.end_node(&mut edits);
        let outcome = editor.end(&mut edits);
        check(&edits[before..], left);
        (apply(&pieces.concat(), START, &edits), outcome)
    }
}

fn check(edits: &[TextEdit], left: u64) {
    for edit in edits {
        assert!(edit.range.start >= left, "{edit:?} changes what has left before {left}");
    }
}

fn apply(text: &[u8], start: u64, edits: &[TextEdit]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut kept = 0;
    for edit in edits {
        let index = |at: u64| usize::try_from(at - start).unwrap();
        let (from, to) = (index(edit.range.start), index(edit.range.end));
        out.extend_from_slice(&text[kept..from]);
        out.extend_from_slice(&edit.with);
        kept = to;
    }
    out.extend_from_slice(&text[kept..]);
    out
}
