//! Whether markup can be put into a page at a certain place: whether all of it becomes exactly the elements that are
//! written, there, and the page goes on as before.

use super::{ElementId, LeadTag};
use crate::attribute::is_space;
use crate::name::{Name, Tag};
use crate::tokenizer::{TextKind, Token, Tokenizer};
use crate::tree::{Namespace, Node, Origin, StartTag, Tree};

/// The end tags that `markup` lacks, if it fits at the place where `tree` stands; `None` if it does not.
pub(super) fn closers(tree: &Tree, markup: &[u8]) -> Option<Vec<u8>> {
    if memchr::memchr(b'<', markup).is_none() {
        return tree.takes_text(markup.iter().all(|byte| is_space(*byte))).then(Vec::new);
    }
    let mut page = tree.clone();
    let before = page.state();
    let depth = page.stack.len();
    let own = page.stack.last().map(|node| node.id);
    let first_id = page.next_id();
    let mut tokenizer = Tokenizer::default();
    let mut rest = markup;
    let mut in_text = false;
    while !rest.is_empty() {
        let token = tokenizer.next(rest, page.is_in_foreign(), true);
        let len = match token {
            Token::Text { len } => {
                let source = rest.get(..len)?;
                if !in_text && take_text(&mut page, source) {
                    return None;
                }
                len
            }
            Token::Nothing { len, .. } => len,
            Token::Start { len, name, name_end, self_closing } => {
                let source = rest.get(..len)?;
                page.start(&StartTag { name: &name, source, name_end, self_closing });
                page.step.own?;
                if page.step.moved_something() || page.step.ignored || closes_older(&page.closed, first_id) {
                    return None;
                }
                if let Some(kind) = page.step.text {
                    in_text = true;
                    tokenizer.expect(kind, name);
                }
                if page.step.is_void {
                    page.close_void();
                }
                len
            }
            Token::End { len, name } => {
                if in_text {
                    in_text = false;
                    page.end_of_text();
                } else {
                    page.end(&name);
                    let opened = page.next_id() != page.step.first_id;
                    if page.step.ignored || page.step.moved_something() || opened {
                        return None;
                    }
                    if closes_older(&page.closed, first_id) || page.closed.is_empty() {
                        return None;
                    }
                }
                len
            }
            Token::Doctype { .. } | Token::More => return None,
        };
        rest = rest.get(len..)?;
        if page.lost.is_some() || page.stack.len() < depth {
            return None;
        }
    }
    if !tokenizer.is_in_data() || in_text {
        return None;
    }
    let mut closers = Vec::new();
    while page.stack.len() > depth {
        closers.extend(close(&mut page)?.tag);
    }
    let same = page.stack.last().map(|node| node.id) == own && page.state() == before;
    same.then_some(closers)
}

/// Whether `text` can be the content of an element `name` whose content is not markup.
pub(super) fn is_content_of(name: &Name, kind: TextKind, text: &[u8]) -> bool {
    let mut tokenizer = Tokenizer::default();
    tokenizer.expect(kind, name.clone());
    let whole = [text, b"</", name.bytes(), b">"].concat();
    let mut at = 0_usize;
    loop {
        match tokenizer.next(whole.get(at..).unwrap_or_default(), false, true) {
            Token::Text { len } => at = at.saturating_add(len),
            Token::End { .. } => return at == text.len(),
            _ => return false,
        }
    }
}

/// End tags for everything that is open above the element `id`, if they close just that.
pub(super) fn close_down_to(tree: &mut Tree, id: u32) -> Option<Vec<LeadTag>> {
    let mut tags = Vec::new();
    while tree.stack.last()?.id != id {
        tags.push(close(tree)?);
    }
    Some(tags)
}

/// Writes an end tag for the current element; it must close just that, and leave nothing behind.
pub(super) fn close(tree: &mut Tree) -> Option<LeadTag> {
    let current = tree.stack.last()?;
    // What it is a clone of would not go on behind it.
    if current.origin == Origin::Clone {
        return None;
    }
    let (id, name) = (current.id, current.name.clone());
    tree.end(&name);
    match tree.closed.as_slice() {
        [node] if node.id == id && !node.strayed && !tree.step.moved_something() => Some(end_tag(node)),
        _ => None,
    }
}

fn end_tag(node: &Node) -> LeadTag {
    LeadTag { ends: node.sighted.map(ElementId), tag: [b"</", node.name.bytes(), b">"].concat() }
}

/// End tags for elements that a start tag closed, in that order, where they say the same.
pub(super) fn end_tags<'n>(closed: impl Iterator<Item = &'n Box<Node>>) -> Option<Vec<LeadTag>> {
    closed
        .map(|node| (!node.strayed && node.name.tag.has_thoroughly_implied_end()).then(|| end_tag(node)))
        .collect()
}

/// The start tag of an element that was implied, where writing it says the same.
pub(super) fn start_tag(node: &Node) -> Option<LeadTag> {
    let tag: &[u8] = match node.name.tag {
        Tag::Head => b"<head>",
        Tag::Body => b"<body>",
        Tag::Tbody => b"<tbody>",
        Tag::Tr => b"<tr>",
        Tag::Colgroup => b"<colgroup>",
        _ => return None,
    };
    Some(LeadTag { ends: None, tag: tag.to_vec() })
}

/// The tree in which the element that was opened last has another name; `None` where it would then be in another
/// namespace, or not as empty.
pub(super) fn renamed(page: &Tree, name: &str) -> Option<Tree> {
    let own = page.stack.last()?;
    let mut tree = page.without_own();
    let name = Name::new(name.as_bytes());
    let source = [b"<", name.bytes(), b">"].concat();
    let name_end = source.len().saturating_sub(1);
    let self_closing = own.ns != Namespace::Html && page.step.is_void;
    tree.start(&StartTag { name: &name, source: &source, name_end, self_closing });
    let ns = tree.stack.last().map(|node| node.ns);
    (ns == Some(own.ns) && tree.step.own.is_some() && tree.step.is_void == page.step.is_void).then_some(tree)
}

fn closes_older(closed: &[Box<Node>], first_id: u32) -> bool {
    closed.iter().any(|node| node.id < first_id)
}

/// Gives text to the tree, white space and the rest apart, as the standard's modes ask for it. Returns whether it did more
/// than to stand there.
pub(super) fn take_text(tree: &mut Tree, text: &[u8]) -> bool {
    let mut moved = false;
    let mut rest = text;
    while let Some(first) = rest.first() {
        let class = Class::of(*first);
        let len = rest.iter().position(|byte| Class::of(*byte) != class).unwrap_or(rest.len());
        tree.text(class == Class::Space, class == Class::Null);
        moved |=
            tree.step.moved_something() || !tree.closed.is_empty() || tree.next_id() != tree.step.first_id;
        rest = rest.get(len..).unwrap_or_default();
    }
    moved
}

/// The classes of characters that modes tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Space,
    Null,
    Other,
}

impl Class {
    pub(super) const fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Null,
            byte if is_space(byte) => Self::Space,
            _ => Self::Other,
        }
    }
}
