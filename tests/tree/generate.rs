//! Documents and patches, made up from a seed.
//!
//! Half of the documents are nearly normal pages. Others have one or two families of what the web really has: left out and
//! stray tags, misnested formatting, stray content in tables, foreign content, raw text, several bodies, framesets. A few are
//! a soup of tags.

use crate::random::Random;
use engraft_oracle::dom::Dom;
use engraft_oracle::operation::{Operation, Patch};

mod markup;
mod patches;

use markup::{DOCTYPES, EXOTIC, FLOW, PHRASING, SOUP, WORDS};

/// A document, in tokens.
pub(crate) fn document(random: &mut Random) -> Vec<String> {
    let temper =
        *random.weighted(&[(50, Temper::Normal), (30, Temper::Odd), (15, Temper::Wild), (5, Temper::Soup)]);
    let families = match temper {
        Temper::Normal | Temper::Soup => Vec::new(),
        Temper::Odd => vec![random.below(EXOTIC.len())],
        Temper::Wild => (0..3).map(|_| random.below(EXOTIC.len())).collect(),
    };
    let omit = match temper {
        Temper::Normal => *random.weighted(&[(70, 0), (20, 40), (10, 100)]),
        _ => *random.weighted(&[(30, 0), (40, 40), (30, 100)]),
    };
    let mut page = Page {
        odd: if families.is_empty() { 0 } else { 12 },
        families,
        omit,
        duplicates: if matches!(temper, Temper::Normal) { 0 } else { 6 },
        left: 6 + random.below(30),
        in_link: false,
        tokens: Vec::new(),
        random,
    };
    if temper == Temper::Soup {
        page.soup();
    } else {
        page.whole();
    }
    let mut tokens = page.tokens;
    // The connection broke off.
    if temper != Temper::Normal && random.percent(6) && !tokens.is_empty() {
        tokens.truncate(1 + random.below(tokens.len()));
        if let Some(last) = tokens.pop() {
            let cut = random.below(last.chars().count() + 1);
            tokens.push(last.chars().take(cut).collect());
        }
    }
    tokens
}

/// A patch for a document like these; mostly one that has something to do there.
pub(crate) fn patch(random: &mut Random, dom: &Dom) -> Result<Patch, String> {
    let mut select = patches::selector(random);
    for _ in 0..random.below(6) {
        if !engraft_oracle::select::select(dom, &select)?.is_empty() {
            break;
        }
        select = patches::selector(random);
    }
    let first = patches::operation(random);
    let mut operations = vec![first];
    if random.percent(12) {
        let second = patches::operation(random);
        if second.name() != operations[0].name() && fits(&operations[0], &second) {
            operations.push(second);
            operations.sort_by_key(patches::order);
        }
    }
    Ok(Patch { select, all: random.percent(75), operations })
}

/// Whether both may stand in one patch.
fn fits(a: &Operation, b: &Operation) -> bool {
    let takes = |it: &Operation| {
        matches!(
            it,
            Operation::Replace(_)
                | Operation::Remove
                | Operation::Unwrap
                | Operation::Text(_)
                | Operation::Html(_)
        )
    };
    let around = |it: &Operation| matches!(it, Operation::Before(_) | Operation::After(_));
    (!takes(a) && !takes(b)) || (takes(a) && around(b)) || (takes(b) && around(a))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Temper {
    Normal,
    Odd,
    Wild,
    Soup,
}

struct Page<'a> {
    random: &'a mut Random,
    /// Indexes into the families of exotic markup.
    families: Vec<usize>,
    /// How often something exotic comes, in a hundred.
    odd: usize,
    /// How often an optional tag is left out, in a hundred.
    omit: usize,
    /// How often an attribute is repeated, in a hundred.
    duplicates: usize,
    /// So many elements more.
    left: usize,
    /// In something that must not stand in itself.
    in_link: bool,
    tokens: Vec<String>,
}

impl Page<'_> {
    fn push(&mut self, token: impl Into<String>) {
        self.tokens.push(token.into());
    }

    fn whole(&mut self) {
        let doctype = *self.random.weighted(DOCTYPES);
        self.push(doctype);
        let newlines = self.random.percent(50);
        let optional = |page: &mut Self, markup: &str| {
            if !page.random.percent(page.omit / 2) {
                page.expand(markup, 0);
            }
            if newlines {
                page.push("\n");
            }
        };
        optional(self, "<html@>");
        optional(self, "<head>");
        for _ in 0..self.random.below(4) {
            let markup = self.random.pick(markup::HEAD);
            self.expand(markup, 0);
            if newlines {
                self.push("\n");
            }
        }
        optional(self, "</head>");
        optional(self, "<body@>");
        while self.left > 0 {
            self.flow(0);
            if newlines && self.random.percent(60) {
                self.push("\n");
            }
        }
        optional(self, "</body>");
        optional(self, "</html>");
    }

    fn soup(&mut self) {
        if self.random.percent(50) {
            self.push("<!doctype html>");
        }
        for _ in 0..4 + self.random.below(25) {
            match self.random.below(10) {
                0..=4 => {
                    let name = self.random.pick(SOUP);
                    let attributes = self.attributes();
                    self.push(format!("<{name}{attributes}>"));
                }
                5..=7 => {
                    let name = self.random.pick(SOUP);
                    self.push(format!("</{name}>"));
                }
                _ => self.word(),
            }
        }
    }

    fn flow(&mut self, depth: usize) {
        self.left = self.left.saturating_sub(1);
        if self.exotic(depth) {
            return;
        }
        let markup = *self.random.weighted(FLOW);
        let outer = self.in_link;
        self.in_link |= markup.starts_with("<nav");
        self.expand(markup, depth);
        self.in_link = outer;
    }

    fn phrasing(&mut self, depth: usize) {
        if self.random.percent(4) && self.exotic(depth) {
            return;
        }
        if depth > 4 || self.random.percent(50) {
            return self.word();
        }
        self.left = self.left.saturating_sub(1);
        let markup = *self.random.weighted(PHRASING);
        let nests_badly = markup.starts_with("<a@") || markup.starts_with("<button");
        if nests_badly && self.in_link && self.families.is_empty() {
            return self.word();
        }
        let outer = self.in_link;
        self.in_link |= nests_badly;
        self.expand(markup, depth);
        self.in_link = outer;
    }

    fn exotic(&mut self, depth: usize) -> bool {
        let is_odd = self.random.percent(self.odd);
        let family = self.random.below(self.families.len());
        let Some(family) = self.families.get(family).filter(|_| is_odd) else { return false };
        let markup = self.random.pick(EXOTIC[*family]);
        self.expand(markup, depth);
        true
    }

    fn word(&mut self) {
        let word = self.random.pick(WORDS);
        self.push(word);
    }

    /// Writes a template of markup: `@` is attributes, `#` phrasing content, `&` flow content, `?` something that may be left
    /// out: the tag that follows it. In text, `+` stands for `&`.
    fn expand(&mut self, template: &str, depth: usize) {
        let mut token = String::new();
        let mut chars = template.chars().peekable();
        let mut skipping = false;
        while let Some(char) = chars.next() {
            match char {
                _ if skipping => skipping = char != '>',
                '?' if chars.peek() == Some(&'<') => skipping = self.random.percent(self.omit),
                '@' => token.push_str(&self.attributes()),
                '#' | '&' => {
                    self.flush(&mut token);
                    let (most, flow) = if char == '&' { (3, depth < 4) } else { (3, false) };
                    for _ in 0..self.random.below(most) + usize::from(depth == 0) {
                        if flow && self.left > 0 { self.flow(depth + 1) } else { self.phrasing(depth + 1) }
                    }
                }
                '+' => {
                    token.push('&');
                    token.extend(chars.next_if_eq(&'#'));
                }
                '<' => {
                    self.flush(&mut token);
                    token.push(char);
                }
                '>' => {
                    token.push(char);
                    self.flush(&mut token);
                }
                _ => token.push(char),
            }
        }
        self.flush(&mut token);
    }

    fn flush(&mut self, token: &mut String) {
        if !token.is_empty() {
            self.tokens.push(std::mem::take(token));
        }
    }

    fn attributes(&mut self) -> String {
        let mut out = String::new();
        if self.random.percent(65) {
            return out;
        }
        for _ in 0..=self.random.below(2) {
            let attribute = self.random.pick(markup::ATTRIBUTES);
            let name = attribute.split('=').next().unwrap_or_default();
            if !out.contains(&format!(" {name}")) || self.random.percent(self.duplicates) {
                out.push(' ');
                out.push_str(attribute);
            }
        }
        if self.random.percent(self.duplicates) {
            out.push_str(self.random.pick(&[" class=z", " CLASS='a'", " id=i9", " /", " =x", " <b", "\n"]));
        }
        out
    }
}
