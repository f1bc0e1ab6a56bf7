//! A document as a parser that follows the standard builds it (WHATWG HTML § 13.2.6): html5ever's tree, in an arena.
//!
//! Scripting is enabled, as in a browser. Nodes are numbered in the order in which the parser made them, which is that of
//! the tokens that made them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, local_name, ns};

/// Which node.
pub type Id = usize;

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Dom {
    nodes: Vec<Node>,
    quirks: QuirksMode,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) parent: Option<Id>,
    pub(crate) previous: Option<Id>,
    pub(crate) next: Option<Id>,
    pub(crate) first: Option<Id>,
    last: Option<Id>,
}

/// Cheap to copy: a page is parsed once and edited often.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Document,
    /// The contents of a template.
    Fragment,
    Doctype(Rc<str>),
    Comment(Rc<str>),
    Text(Rc<str>),
    Element(Rc<Element>),
}

/// An element.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Element {
    /// Its name.
    pub name: QualName,
    /// Its attributes; the first of those with the same name only.
    pub attributes: Vec<(QualName, String)>,
    /// The contents, of a template.
    pub(crate) contents: Option<Id>,
    integration_point: bool,
}

impl Element {
    /// Whether it is this HTML element.
    pub(crate) fn is_html(&self, local: &LocalName) -> bool {
        self.name.ns == ns!(html) && self.name.local == *local
    }

    /// Whether it is an HTML element, not SVG or MathML.
    #[must_use]
    pub fn in_html(&self) -> bool {
        self.name.ns == ns!(html)
    }

    /// The value of an attribute without a namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(attribute, _)| attribute.ns == ns!() && *attribute.local == *name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The document node.
pub(crate) const DOCUMENT: Id = 0;

impl Dom {
    fn new(quirks: QuirksMode) -> Self {
        let mut dom = Self { nodes: Vec::new(), quirks };
        dom.add(Kind::Document);
        dom
    }

    /// Parses a document. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// White space after the end tag of the body is left out. The standard puts it into the body, where it means nothing, and
    /// nobody who appends to a body wants to stand behind it.
    #[must_use]
    pub fn parse(source: &[u8]) -> Self {
        let sink = Sink(RefCell::new(Self::new(QuirksMode::NoQuirks)));
        let text = String::from_utf8_lossy(source);
        let text = without_space_at_the_end(&text);
        html5ever::parse_document(sink, options(QuirksMode::NoQuirks)).one(&*text)
    }

    pub(crate) const fn quirks(&self) -> QuirksMode {
        self.quirks
    }

    /// Parses a fragment in the context of an element of this document (WHATWG HTML § 13.4): the nodes, without a parent.
    pub(crate) fn parse_fragment(&mut self, context: Id, markup: &str) -> Vec<Id> {
        let (name, attributes) = match self.element(context) {
            Some(element) => (element.name.clone(), element.attributes.clone()),
            None => (html_name(local_name!("body")), Vec::new()),
        };
        let is_form = |id: Id| self.element(id).is_some_and(|it| it.is_html(&local_name!("form")));
        let has_form = std::iter::successors(Some(context), |id| self.node(*id).parent).any(is_form);

        let mut fragment = Self::new(self.quirks);
        let form = has_form.then(|| fragment.new_element(html_name(local_name!("form")), Vec::new()));
        let context = fragment.new_context(name, attributes);
        let sink = Sink(RefCell::new(fragment));
        let parser =
            html5ever::driver::parse_fragment_for_element(sink, options(self.quirks), context, true, form);
        let fragment = parser.one(markup);
        // The parser puts everything into a root of its own.
        let root = fragment.children(DOCUMENT).next();
        let nodes: Vec<Id> = root.map(|root| fragment.children(root).collect()).unwrap_or_default();
        nodes.into_iter().map(|node| self.import(&fragment, node)).collect()
    }

    /// The element that a fragment is parsed for. Whether it is an integration point depends on its attributes.
    fn new_context(&mut self, name: QualName, attributes: Vec<(QualName, String)>) -> Id {
        let is_html = |value: &str| {
            value.eq_ignore_ascii_case("text/html") || value.eq_ignore_ascii_case("application/xhtml+xml")
        };
        let is_point = name.ns == ns!(mathml)
            && name.local == local_name!("annotation-xml")
            && attributes.iter().any(|(name, value)| name.local == local_name!("encoding") && is_html(value));
        let id = self.new_element(name, attributes);
        if let Some(element) = self.element_mut(id) {
            element.integration_point = is_point;
        }
        id
    }

    fn import(&mut self, from: &Self, id: Id) -> Id {
        let mut kind = from.node(id).kind.clone();
        if let Kind::Element(element) = &mut kind
            && let Some(contents) = element.contents
        {
            Rc::make_mut(element).contents = Some(self.import(from, contents));
        }
        let copy = self.add(kind);
        for child in from.children(id) {
            let child = self.import(from, child);
            self.append(copy, child);
        }
        copy
    }

    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id]
    }

    /// The element with this number, if it is one.
    #[must_use]
    pub fn element(&self, id: Id) -> Option<&Element> {
        match &self.node(id).kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(crate) fn element_mut(&mut self, id: Id) -> Option<&mut Element> {
        match &mut self.node_mut(id).kind {
            Kind::Element(element) => Some(Rc::make_mut(element)),
            _ => None,
        }
    }

    pub(crate) fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.node(id).first, |child| self.node(*child).next)
    }

    /// The elements of the document in tree order; what is in templates is not part of it.
    pub fn elements(&self) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(DOCUMENT), |id| self.following(*id))
            .filter(|id| self.element(*id).is_some())
    }

    fn following(&self, id: Id) -> Option<Id> {
        self.node(id).first.or_else(|| self.after(id))
    }

    /// What comes after a node and all that is in it.
    fn after(&self, id: Id) -> Option<Id> {
        let mut ancestors = std::iter::successors(Some(id), |id| self.node(*id).parent);
        ancestors.find_map(|id| self.node(id).next)
    }

    /// These nodes in the order in which they end.
    #[must_use]
    pub fn by_end(&self, ids: &[Id]) -> Vec<Id> {
        let mut places = vec![0; self.nodes.len()];
        for (place, id) in std::iter::successors(Some(DOCUMENT), |id| self.following(*id)).enumerate() {
            places[id] = place;
        }
        let mut ids = ids.to_vec();
        let end = |id: Id| self.after(id).map_or(usize::MAX, |after| places[after]);
        ids.sort_by_key(|id| (end(*id), std::cmp::Reverse(places[*id])));
        ids
    }

    /// Where an element's content stands: the element, or the contents of a template.
    pub(crate) fn content_of(&self, id: Id) -> Id {
        self.element(id).and_then(|element| element.contents).unwrap_or(id)
    }

    pub(crate) fn new_element(&mut self, name: QualName, attributes: Vec<(QualName, String)>) -> Id {
        let is_template = name.ns == ns!(html) && name.local == local_name!("template");
        let contents = is_template.then(|| self.add(Kind::Fragment));
        self.add(Kind::Element(Rc::new(Element { name, attributes, contents, integration_point: false })))
    }

    pub(crate) fn new_text(&mut self, text: &str) -> Id {
        self.add(Kind::Text(text.into()))
    }

    fn add(&mut self, kind: Kind) -> Id {
        let node = Node { kind, parent: None, previous: None, next: None, first: None, last: None };
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Takes a node out of its parent.
    pub(crate) fn detach(&mut self, id: Id) {
        let (parent, previous, next) = {
            let node = self.node_mut(id);
            (node.parent.take(), node.previous.take(), node.next.take())
        };
        let Some(parent) = parent else { return };
        match previous {
            Some(previous) => self.node_mut(previous).next = next,
            None => self.node_mut(parent).first = next,
        }
        match next {
            Some(next) => self.node_mut(next).previous = previous,
            None => self.node_mut(parent).last = previous,
        }
    }

    /// Puts a node into `parent`, before its child `before`, or last.
    pub(crate) fn insert(&mut self, parent: Id, before: Option<Id>, id: Id) {
        self.detach(id);
        let previous = self.last_before(parent, before);
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (Some(parent), previous, before);
        match previous {
            Some(previous) => self.node_mut(previous).next = Some(id),
            None => self.node_mut(parent).first = Some(id),
        }
        match before {
            Some(before) => self.node_mut(before).previous = Some(id),
            None => self.node_mut(parent).last = Some(id),
        }
    }

    /// The child of `parent` in front of its child `before`, or its last.
    fn last_before(&self, parent: Id, before: Option<Id>) -> Option<Id> {
        match before {
            Some(before) => self.node(before).previous,
            None => self.node(parent).last,
        }
    }

    pub(crate) fn append(&mut self, parent: Id, id: Id) {
        self.insert(parent, None, id);
    }

    /// Adds to the text before the place, or makes a text there.
    fn insert_text(&mut self, parent: Id, before: Option<Id>, text: &str) {
        let previous = self.last_before(parent, before);
        if let Some(previous) = previous
            && let Kind::Text(known) = &mut self.node_mut(previous).kind
        {
            *known = [&**known, text].concat().into();
            return;
        }
        let id = self.new_text(text);
        self.insert(parent, before, id);
    }

    /// How far two trees agree: `None` where they are the same, else how many nodes are before the first difference. Texts
    /// that touch are one, and the order of attributes does not count.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Option<usize> {
        let mut same = 0;
        let is_same = self.quirks == other.quirks && self.agrees(DOCUMENT, other, DOCUMENT, &mut same);
        (!is_same).then_some(same)
    }

    fn agrees(&self, mine: Id, other: &Self, theirs: Id, same: &mut usize) -> bool {
        let (mut mine, mut theirs) = (self.node(mine).first, other.node(theirs).first);
        loop {
            let agree = match (self.next_item(&mut mine), other.next_item(&mut theirs)) {
                (None, None) => return true,
                (Some(Item::Text(a)), Some(Item::Text(b))) => a == b,
                (Some(Item::Node(a)), Some(Item::Node(b))) => self.nodes_agree(a, other, b, same),
                _ => false,
            };
            if !agree {
                return false;
            }
            *same += 1;
        }
    }

    fn nodes_agree(&self, mine: Id, other: &Self, theirs: Id, same: &mut usize) -> bool {
        match (&self.node(mine).kind, &other.node(theirs).kind) {
            (Kind::Doctype(a), Kind::Doctype(b)) | (Kind::Comment(a), Kind::Comment(b)) => a == b,
            (Kind::Element(a), Kind::Element(b)) => {
                let same_attributes = a.attributes.len() == b.attributes.len()
                    && a.attributes.iter().all(|attribute| b.attributes.contains(attribute));
                let same_tag = a.name.ns == b.name.ns && a.name.local == b.name.local && same_attributes;
                let contents = |same: &mut usize| match (a.contents, b.contents) {
                    (Some(a), Some(b)) => self.agrees(a, other, b, same),
                    (a, b) => a == b,
                };
                // The start tags are a node: a difference further down is further away.
                same_tag && {
                    *same += 1;
                    contents(same) && self.agrees(mine, other, theirs, same)
                }
            }
            _ => false,
        }
    }

    /// The next child or run of texts, from `at` on.
    fn next_item(&self, at: &mut Option<Id>) -> Option<Item<'_>> {
        let mut text = Cow::Borrowed("");
        while let Some(id) = *at {
            match &self.node(id).kind {
                Kind::Text(more) if text.is_empty() => text = Cow::Borrowed(more),
                Kind::Text(more) => text.to_mut().push_str(more),
                _ if text.is_empty() => {
                    *at = self.node(id).next;
                    return Some(Item::Node(id));
                }
                _ => break,
            }
            *at = self.node(id).next;
        }
        (!text.is_empty()).then_some(Item::Text(text))
    }

    /// The tree, to be read by a person: as the tests of html5lib write it, the quirks mode in the first line.
    #[must_use]
    pub fn dump(&self) -> String {
        let mut out = format!("{:?}\n", self.quirks);
        self.dump_children(DOCUMENT, 0, &mut out);
        out
    }

    fn dump_children(&self, parent: Id, depth: usize, out: &mut String) {
        let mut text = String::new();
        for child in self.children(parent) {
            if let Kind::Text(part) = &self.node(child).kind {
                text.push_str(part);
                continue;
            }
            dump_text(&mut text, depth, out);
            indent(depth, out);
            match &self.node(child).kind {
                Kind::Document | Kind::Fragment | Kind::Text(_) => {}
                Kind::Doctype(doctype) => drop(writeln!(out, "<!DOCTYPE {doctype}>")),
                Kind::Comment(comment) => drop(writeln!(out, "<!-- {comment} -->")),
                Kind::Element(element) => {
                    let _ = writeln!(out, "<{}{}>", prefix(&element.name.ns), element.name.local);
                    let mut attributes: Vec<_> = element.attributes.iter().collect();
                    attributes.sort_by(|(a, _), (b, _)| (&a.ns, &a.local).cmp(&(&b.ns, &b.local)));
                    for (name, value) in attributes {
                        indent(depth + 1, out);
                        let _ = writeln!(out, "{}{}={value:?}", prefix(&name.ns), name.local);
                    }
                    if let Some(contents) = element.contents {
                        indent(depth + 1, out);
                        out.push_str("content\n");
                        self.dump_children(contents, depth + 2, out);
                    }
                    self.dump_children(child, depth + 1, out);
                }
            }
        }
        dump_text(&mut text, depth, out);
    }
}

fn dump_text(text: &mut String, depth: usize, out: &mut String) {
    if !text.is_empty() {
        indent(depth, out);
        let _ = writeln!(out, "{text:?}");
        text.clear();
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str("| ");
    (0..depth).for_each(|_| out.push_str("  "));
}

fn prefix(namespace: &Namespace) -> &'static str {
    match *namespace {
        ns!(svg) => "svg ",
        ns!(mathml) => "math ",
        ns!(xlink) => "xlink ",
        ns!(xml) => "xml ",
        ns!(xmlns) => "xmlns ",
        _ => "",
    }
}

/// A child, or the texts between two.
enum Item<'a> {
    Node(Id),
    Text(Cow<'a, str>),
}

/// The name of an HTML element.
pub(crate) fn html_name(local: LocalName) -> QualName {
    QualName::new(None, ns!(html), local)
}

/// Leaves out the white space among what may come after the body: its end tag, that of html, comments.
fn without_space_at_the_end(source: &str) -> Cow<'_, str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    // Where the first of the tags stands, and how many tokens come from there on.
    let mut first = None;
    loop {
        rest = rest.trim_end_matches(|char: char| char.is_ascii_whitespace());
        let tag = ["</body>", "</html>"].iter().find(|tag| {
            let start = rest.len().checked_sub(tag.len()).and_then(|at| rest.get(at..));
            start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
        });
        let comment = || rest.ends_with("-->").then(|| rest.rfind("<!--")).flatten();
        let at = match tag {
            Some(tag) => {
                let at = rest.len() - tag.len();
                first = Some((at, tokens.len() + 1));
                at
            }
            None => match comment() {
                Some(at) => at,
                None => break,
            },
        };
        let Some((before, token)) = rest.split_at_checked(at) else { break };
        tokens.push(token);
        rest = before;
    }
    let Some((at, count)) = first else { return source.into() };
    let mut out = source.get(..at).unwrap_or_default().to_owned();
    tokens.truncate(count);
    tokens.iter().rev().for_each(|token| out.push_str(token));
    out.into()
}

fn options(quirks: QuirksMode) -> ParseOpts {
    ParseOpts {
        tokenizer: TokenizerOpts::default(),
        tree_builder: TreeBuilderOpts {
            scripting_enabled: true,
            quirks_mode: quirks,
            ..TreeBuilderOpts::default()
        },
    }
}

/// What the parser builds into.
struct Sink(RefCell<Dom>);

/// Owned, as the arena may grow meanwhile.
#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Sink {
    fn put(&self, parent: Id, before: Option<Id>, child: NodeOrText<Id>) {
        let mut dom = self.0.borrow_mut();
        match child {
            NodeOrText::AppendNode(id) => dom.insert(parent, before, id),
            NodeOrText::AppendText(text) => dom.insert_text(parent, before, &text),
        }
    }
}

impl TreeSink for Sink {
    type Handle = Id;
    type Output = Dom;
    type ElemName<'a> = Name;

    fn finish(self) -> Dom {
        self.0.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        DOCUMENT
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Name {
        let dom = self.0.borrow();
        Name(dom.element(*target).map_or_else(|| html_name(local_name!("")), |element| element.name.clone()))
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Id {
        let mut dom = self.0.borrow_mut();
        let id = dom.new_element(name, owned(attributes));
        if let Some(element) = dom.element_mut(id) {
            element.integration_point = flags.mathml_annotation_xml_integration_point;
        }
        id
    }

    fn create_comment(&self, text: StrTendril) -> Id {
        self.0.borrow_mut().add(Kind::Comment((&*text).into()))
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> Id {
        self.0.borrow_mut().add(Kind::Comment((&*data).into()))
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        self.put(*parent, None, child);
    }

    fn append_based_on_parent_node(&self, element: &Id, previous: &Id, child: NodeOrText<Id>) {
        let parent = self.0.borrow().node(*element).parent;
        match parent {
            Some(parent) => self.put(parent, Some(*element), child),
            None => self.put(*previous, None, child),
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        let mut dom = self.0.borrow_mut();
        let id = dom.add(Kind::Doctype(format!("{name} {public:?} {system:?}").into()));
        dom.append(DOCUMENT, id);
    }

    fn get_template_contents(&self, target: &Id) -> Id {
        self.0.borrow().content_of(*target)
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.0.borrow_mut().quirks = mode;
    }

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let parent = self.0.borrow().node(*sibling).parent;
        if let Some(parent) = parent {
            self.put(parent, Some(*sibling), child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, attributes: Vec<Attribute>) {
        let mut dom = self.0.borrow_mut();
        let Some(element) = dom.element_mut(*target) else { return };
        for (name, value) in owned(attributes) {
            if !element.attributes.iter().any(|(known, _)| *known == name) {
                element.attributes.push((name, value));
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.0.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &Id, new_parent: &Id) {
        let mut dom = self.0.borrow_mut();
        while let Some(child) = dom.node(*node).first {
            dom.append(*new_parent, child);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Id) -> bool {
        self.0.borrow().element(*target).is_some_and(|element| element.integration_point)
    }

    /// A shadow root is no part of the tree that selectors and edits see; its template is, in every page's source.
    fn allow_declarative_shadow_roots(&self, _: &Id) -> bool {
        false
    }
}

fn owned(attributes: Vec<Attribute>) -> Vec<(QualName, String)> {
    attributes.into_iter().map(|attribute| (attribute.name, attribute.value.to_string())).collect()
}
