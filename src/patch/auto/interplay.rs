//! Mutations of one variation that are not independent of each other.
//!
//! In a browser a mutation meets the page as those before it have left it, and when elements are inserted, all are asked again.
//! Here selectors see the page as the origin sent it, and nothing that is inserted. Where that may make a difference, the
//! mutation that selects is not done: its elements would not be those that its author saw. The rules know what stands in the
//! selectors and the markup, not the page, and so leave out a little too much.

use super::mutation::{Change, Mutation};
use crate::csp::markup::elements;
use crate::html::selector::Selector;

/// How many elements of new content are looked at, and how many attributes of one. Where there are more, any selector may name
/// something in it.
const MAX_INSERTED: usize = 500;

/// A mutation as others see it.
pub(super) struct Effect<'a> {
    selector: &'a Selector,
    change: &'a Change<'a>,
    inserted: Vec<(String, Vec<(String, String)>)>,
}

impl<'a> Effect<'a> {
    pub(super) fn new(mutation: &'a Mutation<'a>, selector: &'a Selector) -> Self {
        let inserted = match &mutation.change {
            Change::SetHtml(markup) | Change::AppendHtml(markup) => {
                elements(markup).take(MAX_INSERTED.saturating_add(1)).collect()
            }
            _ => Vec::new(),
        };
        Self { selector, change: &mutation.change, inserted }
    }

    /// Whether the mutation at `index` may select by what another one of `effects` changes, or what that inserts.
    pub(super) fn is_dependent(effects: &[Self], index: usize) -> bool {
        let Some(own) = effects.get(index) else { return false };
        effects.iter().enumerate().any(|(other, effect)| {
            // What names its own new content, a browser goes on with for ever.
            effect.inserts_what(own.selector)
                || (other != index && effect.adds_what(own.selector))
                || (other < index && effect.removes_what(own.selector))
        })
    }

    /// Whether elements get what makes the selector name them. It does so whichever comes first: when content is inserted, a
    /// browser looks again.
    fn adds_what(&self, selector: &Selector) -> bool {
        match self.change {
            Change::AddClasses(classes) => classes.iter().any(|class| selector.asks_for_class(class)),
            Change::SetAttribute(name, value) if name == "class" => {
                value.split_whitespace().any(|class| selector.asks_for_class(class))
            }
            Change::SetAttribute(name, _) | Change::AppendAttribute(name, _) => {
                selector.attributes().contains(name)
            }
            _ => false,
        }
    }

    /// Whether elements lose what makes the selector name them. Those that it has named already stay with it.
    fn removes_what(&self, selector: &Selector) -> bool {
        match self.change {
            Change::RemoveClass(class) => selector.asks_for_class(class),
            // Which classes the elements had, only the page knows.
            Change::SetAttribute(name, _) if name == "class" => selector.attributes().contains(name),
            Change::RemoveAttribute(name) => selector.attributes().contains(name),
            _ => false,
        }
    }

    fn inserts_what(&self, selector: &Selector) -> bool {
        // What is inserted stands deeper than what it is inserted into.
        if selector.depth().zip(self.selector.depth()).is_some_and(|(theirs, own)| theirs <= own) {
            return false;
        }
        self.inserted.len() > MAX_INSERTED
            || self.inserted.iter().any(|(name, attributes)| {
                let value = |wanted: &str| {
                    attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
                };
                attributes.len() > MAX_INSERTED || selector.may_name(name, value)
            })
    }
}
