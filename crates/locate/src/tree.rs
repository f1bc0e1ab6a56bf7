//! The tree, as the standard constructs it (WHATWG HTML § 13.2.6), without building one: only what is open is known.
//!
//! Tags and text go in; after each, [`Step`] says which elements it opened and closed, and where the tree parted from
//! the order of the source. What is removed from the page as a range of bytes must be what is removed from the tree, so
//! every open element knows whether its subtree still is what stands between its tags ([`Node::strayed`]).
//!
//! Scripting is on, as in browsers: the content of `noscript` is text.

use std::sync::Arc;

use crate::attribute::{Attribute, Attributes};
use crate::name::{Name, Tag};
use crate::selector::marks::{Bits, Marks};
use crate::tokenizer::TextKind;

mod body;
mod foreign;
mod formatting;
mod head;
mod stack;
mod table;

/// The namespace of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Html,
    Svg,
    MathMl,
}

/// Why an element is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its start tag.
    Tag,
    /// Another tag, or text, that can't be without it.
    Implied,
    /// A formatting element that was closed too early and goes on (§ 13.2.4.3).
    Clone,
}

/// An open element.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Ascending in the order of insertion.
    pub(crate) id: u32,
    pub(crate) name: Name,
    pub(crate) ns: Namespace,
    pub(crate) origin: Origin,
    /// Its parent in the tree, by index in the stack.
    pub(crate) parent: usize,
    /// In the content of a `template`, where selectors do not look.
    pub(crate) in_template: bool,
    /// HTML stands in it though it is SVG or MathML (§ 13.2.6, integration points).
    html_inside: bool,
    /// A `head` that is open again for an element that comes after its end tag.
    reopened: bool,
    /// Length of the list of active formatting elements when it was opened.
    entries: usize,
    /// The form element pointer when it was opened.
    form: Option<u32>,
    /// What stands between its tags is not what it contains, or changes what comes after it.
    pub(crate) strayed: bool,
    /// Which selectors its ancestors, its siblings and it match.
    pub(crate) marks: Marks,
    /// The number under which it is sighted, if it is.
    pub(crate) sighted: Option<u32>,
}

impl Node {
    /// Whether it is the HTML element with this name.
    pub(crate) fn is(&self, tag: Tag) -> bool {
        self.ns == Namespace::Html && self.name.tag == tag
    }

    fn is_html(&self, matches: impl Fn(Tag) -> bool) -> bool {
        self.ns == Namespace::Html && matches(self.name.tag)
    }

    /// Whether it is in the special category (§ 13.2.4.2).
    pub(crate) fn is_special(&self) -> bool {
        match self.ns {
            Namespace::Html => self.name.tag.is_special(),
            Namespace::MathMl => self.is_text_point() || self.name.tag == Tag::AnnotationXml,
            Namespace::Svg => matches!(self.name.tag, Tag::ForeignObject | Tag::Desc | Tag::Title),
        }
    }

    /// A MathML text integration point (§ 13.2.6).
    fn is_text_point(&self) -> bool {
        self.ns == Namespace::MathMl
            && matches!(self.name.tag, Tag::Mi | Tag::Mo | Tag::Mn | Tag::Ms | Tag::Mtext)
    }

    /// Whether formatting that is open in it ends with it: it has a marker in the list (§ 13.2.4.3).
    pub(crate) fn ends_formatting(&self) -> bool {
        self.is_html(|tag| {
            matches!(
                tag,
                Tag::Applet | Tag::Marquee | Tag::Object | Tag::Td | Tag::Th | Tag::Caption | Tag::Template
            )
        })
    }

    /// Whether text in it is put in front of the table.
    pub(crate) fn is_table_part(&self) -> bool {
        self.is_html(Tag::fosters)
    }

    /// Whether some start tag in it ends it.
    pub(crate) fn may_end_by_start_tag(&self) -> bool {
        self.ns != Namespace::Html || self.name.tag.may_end_by_start_tag()
    }

    /// Whether it is a formatting element.
    pub(crate) fn is_formatting(&self) -> bool {
        self.is_html(Tag::is_formatting)
    }
}

/// An entry of the list of active formatting elements (§ 13.2.4.3).
#[derive(Debug, Clone)]
enum Entry {
    Marker,
    Element(Formatting),
}

#[derive(Debug, Clone)]
struct Formatting {
    id: u32,
    tag: Tag,
    /// Its start tag, unless that has no attributes.
    source: Option<Arc<[u8]>>,
    /// What it matches by itself, for the elements as which it goes on.
    matches: Bits,
    is_open: bool,
}

/// The insertion mode (§ 13.2.4.1). Framesets are not followed; "text" and "in table text" are not modes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Initial,
    BeforeHtml,
    BeforeHead,
    InHead,
    AfterHead,
    InBody,
    InTable,
    InCaption,
    InColumnGroup,
    InTableBody,
    InRow,
    InCell,
    InTemplate,
    AfterBody,
    AfterAfterBody,
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartTag<'t> {
    pub(crate) name: &'t Name,
    /// From `<` to `>`.
    pub(crate) source: &'t [u8],
    pub(crate) name_end: usize,
    pub(crate) self_closing: bool,
}

impl StartTag<'_> {
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes::new(self.source, self.name_end)
    }

    /// Whether there is nothing in it but its name.
    pub(crate) const fn is_bare(&self) -> bool {
        self.name_end.saturating_add(1) >= self.source.len()
    }

    fn has(&self, names: &[&str]) -> bool {
        self.attributes().any(|it| names.iter().any(|name| self.is_named(&it, name)))
    }

    /// Whether the first attribute of this name has one of these values, in any case.
    fn has_value(&self, name: &str, values: &[&str]) -> bool {
        let found = self.attributes().find(|it| self.is_named(it, name)).and_then(|it| it.value);
        let value = found.and_then(|at| self.source.get(at)).unwrap_or_default();
        values.iter().any(|known| value.eq_ignore_ascii_case(known.as_bytes()))
    }

    fn is_named(&self, attribute: &Attribute, name: &str) -> bool {
        self.source
            .get(attribute.name.clone())
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// What the last token did to the tree.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Step {
    /// The first id that it may have given.
    pub(crate) first_id: u32,
    /// The element that the tag itself opened.
    pub(crate) own: Option<u32>,
    /// That element has no content: [`Tree::close_void`] comes next.
    pub(crate) is_void: bool,
    /// The mode before it did.
    mode_before: Option<Mode>,
    /// How the text after the tag is read, where not as markup.
    pub(crate) text: Option<TextKind>,
    /// The token left no trace in the tree, or only attributes of an element that is there already.
    pub(crate) ignored: bool,
    /// Something was put in front of a table instead of into it.
    pub(crate) fostered: bool,
    /// Elements were moved (§ 13.2.6.4.7, adoption agency algorithm).
    pub(crate) adopted: bool,
    /// Formatting elements go on in another place.
    pub(crate) reconstructed: bool,
    /// The body had been ended, and goes on.
    pub(crate) resumed: bool,
}

impl Step {
    /// Whether some part of the tree is elsewhere than the source says.
    pub(crate) const fn moved_something(&self) -> bool {
        self.fostered || self.adopted || self.reconstructed
    }
}

/// Nested deeper, the trees of browsers differ from the standard's and from each other.
const MAX_DEPTH: usize = 512;
/// Each of these may be reopened by every other tag.
const MAX_ENTRIES: usize = 128;

/// Whether a token is done with or meets the next mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Done,
    Again,
}

/// Why the tree can't be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Framesets.
    Frameset,
    /// Too deep, or too many formatting elements.
    TooComplex,
}

/// Boxed: nodes are large, and for every element of a page one goes from the stack to those that were closed.
pub(crate) type Nodes = Vec<Box<Node>>;

/// Nodes that nobody needs any more, to be used again.
#[derive(Debug, Default)]
struct Spare(Nodes);

impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) stack: Nodes,
    /// The elements that the last token closed, in that order.
    pub(crate) closed: Nodes,
    spare: Spare,
    active: Vec<Entry>,
    mode: Mode,
    template_modes: Vec<Mode>,
    /// A `head` that is closed.
    head: Option<Box<Node>>,
    form: Option<u32>,
    frameset_ok: bool,
    /// In quirks mode (§ 13.2.6.4.1).
    pub(crate) quirks: bool,
    fostering: bool,
    next_id: u32,
    pub(crate) step: Step,
    pub(crate) lost: Option<Lost>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            stack: Nodes::new(),
            closed: Nodes::new(),
            spare: Spare::default(),
            active: Vec::new(),
            mode: Mode::Initial,
            template_modes: Vec::new(),
            head: None,
            form: None,
            frameset_ok: true,
            quirks: false,
            fostering: false,
            next_id: 1,
            step: Step::default(),
            lost: None,
        }
    }
}

impl Tree {
    /// Whether CDATA sections are read here.
    pub(crate) fn is_in_foreign(&self) -> bool {
        self.stack.last().is_some_and(|node| node.ns != Namespace::Html)
    }

    /// A doctype.
    pub(crate) fn doctype(&mut self, quirky: bool) {
        self.begin();
        if self.mode == Mode::Initial {
            self.quirks = quirky;
            self.mode = Mode::BeforeHtml;
        }
    }

    /// A start tag.
    pub(crate) fn start(&mut self, tag: &StartTag<'_>) {
        self.begin();
        if self.is_foreign_for_start(tag) {
            self.foreign_start(tag);
        } else {
            self.html_start(tag);
        }
        self.finish();
    }

    fn html_start(&mut self, tag: &StartTag<'_>) {
        loop {
            let next = match self.mode {
                Mode::Initial => self.no_doctype(),
                Mode::BeforeHtml => self.before_html_start(tag),
                Mode::BeforeHead => self.before_head_start(tag),
                Mode::InHead => self.in_head_start(tag),
                Mode::AfterHead => self.after_head_start(tag),
                Mode::InBody => self.in_body_start(tag),
                Mode::InTable => self.in_table_start(tag),
                Mode::InCaption => self.in_caption_start(tag),
                Mode::InColumnGroup => self.in_column_group_start(tag),
                Mode::InTableBody => self.in_table_body_start(tag),
                Mode::InRow => self.in_row_start(tag),
                Mode::InCell => self.in_cell_start(tag),
                Mode::InTemplate => self.in_template_start(tag),
                Mode::AfterBody | Mode::AfterAfterBody => self.after_body_start(tag),
            };
            if next == Next::Done {
                return;
            }
        }
    }

    /// An end tag.
    pub(crate) fn end(&mut self, name: &Name) {
        self.begin();
        let foreign = self.stack.last().is_some_and(|node| node.ns != Namespace::Html);
        if foreign {
            self.foreign_end(name);
        } else {
            self.html_end(name);
        }
        self.finish();
    }

    fn html_end(&mut self, name: &Name) {
        loop {
            let next = match self.mode {
                Mode::Initial => self.no_doctype(),
                Mode::BeforeHtml | Mode::BeforeHead => self.before_head_end(name),
                Mode::InHead => self.in_head_end(name),
                Mode::AfterHead => self.after_head_end(name),
                Mode::InBody => self.in_body_end(name),
                Mode::InTable => self.in_table_end(name),
                Mode::InCaption => self.in_caption_end(name),
                Mode::InColumnGroup => self.in_column_group_end(name),
                Mode::InTableBody => self.in_table_body_end(name),
                Mode::InRow => self.in_row_end(name),
                Mode::InCell => self.in_cell_end(name),
                Mode::InTemplate => self.in_template_end(name),
                Mode::AfterBody | Mode::AfterAfterBody => self.after_body_end(name),
            };
            if next == Next::Done {
                return;
            }
        }
    }

    /// The end tag of an element whose content is not markup.
    pub(crate) fn end_of_text(&mut self) {
        self.begin();
        self.pop();
        self.finish();
    }

    /// Characters that are all white space, or none of which is; `null` says that they are NUL, which is nothing in HTML.
    pub(crate) fn text(&mut self, space: bool, null: bool) {
        self.begin();
        let foreign = self
            .stack
            .last()
            .is_some_and(|node| node.ns != Namespace::Html && !node.html_inside && !node.is_text_point());
        if foreign {
            self.frameset_ok &= space;
        } else {
            while self.html_text(space, null) == Next::Again {}
        }
        self.finish();
    }

    /// The page ends: what every page has is there. `in_text` says that it ends in an element whose content is not markup.
    pub(crate) fn end_of_page(&mut self, in_text: bool) {
        self.begin();
        let mut tail = None;
        if in_text {
            tail = self.stack.pop();
        }
        while matches!(
            self.mode,
            Mode::Initial | Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::AfterHead
        ) {
            self.html_text(false, false);
        }
        self.stack.extend(tail);
        self.finish();
    }

    /// Whether text here is just text, whatever it is: nothing opens, closes or moves for it.
    pub(crate) fn text_is_plain(&self) -> bool {
        let settled = !self.frameset_ok && !self.has_closed_formatting();
        settled
            && match self.mode {
                Mode::InBody | Mode::InCell | Mode::InCaption | Mode::InTemplate => true,
                _ => self.is_in_foreign(),
            }
    }

    fn html_text(&mut self, space: bool, null: bool) -> Next {
        match self.mode {
            Mode::Initial if space => Next::Done,
            Mode::Initial => self.no_doctype(),
            Mode::BeforeHtml | Mode::BeforeHead if space => Next::Done,
            Mode::BeforeHtml => self.imply(Tag::Html, Mode::BeforeHead),
            Mode::BeforeHead => self.imply(Tag::Head, Mode::InHead),
            Mode::InHead | Mode::AfterHead | Mode::InColumnGroup if space => Next::Done,
            Mode::InHead => self.close_head(),
            Mode::AfterHead => self.imply(Tag::Body, Mode::InBody),
            Mode::InColumnGroup => self.leave_column_group(),
            Mode::InBody | Mode::InCaption | Mode::InCell | Mode::InTemplate => self.body_text(space, null),
            Mode::InTable | Mode::InTableBody | Mode::InRow => self.table_text(space, null),
            Mode::AfterBody | Mode::AfterAfterBody if space => self.body_text(space, null),
            Mode::AfterBody | Mode::AfterAfterBody => self.resume_body(),
        }
    }

    fn body_text(&mut self, space: bool, null: bool) -> Next {
        if !null {
            self.reconstruct();
            self.frameset_ok &= space;
        }
        Next::Done
    }

    fn no_doctype(&mut self) -> Next {
        self.quirks = true;
        self.mode = Mode::BeforeHtml;
        Next::Again
    }

    /// Closes the element without content that was opened last.
    pub(crate) fn close_void(&mut self) {
        self.reuse_closed();
        self.pop();
        self.finish();
    }

    /// The tree as it was before the last tag opened its own element, but with all that the tag did besides.
    pub(crate) fn without_own(&self) -> Self {
        let mut tree = self.clone();
        let Some(own) = self.step.own else { return tree };
        if tree.stack.last().is_some_and(|node| node.id == own)
            && let Some(node) = tree.stack.pop()
        {
            tree.active.truncate(node.entries);
            tree.form = node.form;
            if node.is(Tag::Template) {
                tree.template_modes.pop();
            }
            tree.mode = self.step.mode_before.unwrap_or(tree.mode);
        }
        tree
    }

    /// Before what comes after the body: as if the page went on.
    pub(crate) fn in_body_again(&self) -> Self {
        let mut tree = self.clone();
        if tree.is_after_body() {
            tree.mode = Mode::InBody;
        }
        tree
    }

    /// What the meaning of everything that follows depends on, but for what is open.
    pub(crate) fn state(&self) -> impl PartialEq + use<> {
        (self.mode, self.template_modes.len(), self.active.len(), self.form, self.stack.len())
    }

    /// The id of the next element.
    pub(crate) const fn next_id(&self) -> u32 {
        self.next_id
    }

    /// Whether the head is or has been open.
    pub(crate) fn has_head(&self) -> bool {
        self.head.is_some() || self.stack.get(1).is_some_and(|node| node.is(Tag::Head))
    }

    /// The head with this id, if it is closed: what comes before the body is put back into it.
    pub(crate) fn closed_head(&mut self, id: u32) -> Option<&mut Box<Node>> {
        self.head.as_mut().filter(|head| head.id == id)
    }

    /// Whether the body is open.
    pub(crate) fn has_body(&self) -> bool {
        self.stack.get(1).is_some_and(|node| node.is(Tag::Body))
    }

    /// Whether text that is inserted here becomes text, here; `space` that it is white space.
    pub(crate) fn takes_text(&self, space: bool) -> bool {
        match self.mode {
            _ if self.is_in_foreign() => true,
            Mode::InBody | Mode::InCaption | Mode::InCell | Mode::InTemplate => !self.has_closed_formatting(),
            Mode::InTable | Mode::InTableBody | Mode::InRow => space && self.current_is_any(Tag::fosters),
            Mode::InHead | Mode::AfterHead | Mode::InColumnGroup => space,
            _ => false,
        }
    }

    fn begin(&mut self) {
        self.reuse_closed();
        self.step = Step { first_id: self.next_id, ..Step::default() };
    }

    fn reuse_closed(&mut self) {
        while let Some(node) = self.closed.pop() {
            self.spare.0.push(node);
        }
    }

    /// A head that was reopened for one element is closed behind it.
    fn finish(&mut self) {
        if self.stack.last().is_some_and(|node| node.reopened) {
            self.head = self.stack.pop();
        }
        if self.stack.len() > MAX_DEPTH || self.active.len() > MAX_ENTRIES {
            self.lost = Some(Lost::TooComplex);
        }
    }

    const fn ignore(&mut self) -> Next {
        self.step.ignored = true;
        Next::Done
    }

    /// Inserts an element that no tag stands for.
    fn imply(&mut self, tag: Tag, mode: Mode) -> Next {
        self.insert(Name::from(tag), Namespace::Html, Origin::Implied);
        self.mode = mode;
        Next::Again
    }

    /// Inserts the element of a start tag (§ 13.2.6.1, insert an HTML element).
    fn insert_own(&mut self, tag: &StartTag<'_>) {
        self.insert_own_in(tag.name.clone(), Namespace::Html);
    }

    fn insert_own_in(&mut self, name: Name, ns: Namespace) {
        self.step.mode_before = Some(self.mode);
        let id = self.insert(name, ns, Origin::Tag);
        self.step.own = Some(id);
    }

    fn insert_void(&mut self, tag: &StartTag<'_>) -> Next {
        self.insert_own(tag);
        self.step.is_void = true;
        Next::Done
    }

    /// Inserts an element whose content is not markup.
    fn insert_text_element(&mut self, tag: &StartTag<'_>, kind: TextKind) -> Next {
        self.insert_own(tag);
        self.step.text = Some(kind);
        Next::Done
    }

    fn insert(&mut self, name: Name, ns: Namespace, origin: Origin) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        let parent = self.insertion_parent();
        let in_template =
            self.stack.get(parent).is_some_and(|node| node.in_template || node.is(Tag::Template));
        let node = Node {
            id,
            name,
            ns,
            origin,
            parent,
            in_template,
            html_inside: false,
            reopened: false,
            entries: self.active.len(),
            form: self.form,
            strayed: false,
            marks: Marks::default(),
            sighted: None,
        };
        let boxed = match self.spare.0.pop() {
            Some(mut spare) => {
                *spare = node;
                spare
            }
            None => Box::new(node),
        };
        self.stack.push(boxed);
        id
    }
}

#[cfg(test)]
mod tests;
