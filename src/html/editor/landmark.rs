//! What goes in at places that every page has, and at its end what depends on all the rest.

use super::Editor;
use crate::html::locate::LeadTag;
use crate::html::operation::{Landmark, Operation, Site};
use crate::html::outcome::Skip;
use crate::html::splice::{Edit, SpliceError};

impl Editor {
    /// A place that every page has is reached.
    pub(super) fn landmark(
        &mut self,
        landmark: Landmark,
        at: u64,
        lead: &[LeadTag],
        misfit: bool,
    ) -> Result<(), SpliceError> {
        // The search ended before it came; that is told apart.
        if at == u64::MAX {
            return Ok(());
        }
        let mut inserted = Vec::new();
        let owner = self.next_landmark;
        self.next_landmark = owner.saturating_sub(1);
        let patches = self.patches.iter().zip(&mut self.outcomes).zip(&self.found).enumerate();
        for (number, ((patch, outcome), found)) in patches {
            let content = match (&patch.site, &patch.fallback) {
                (Site::Landmark(known), _) if *known == landmark => {
                    patch.operations.iter().find_map(|op| match op {
                        Operation::Before(content) => Some(content),
                        _ => None,
                    })
                }
                (Site::Elements { .. }, Some(fallback)) if fallback.landmark == landmark => {
                    (!found && outcome.matched() == 0).then_some(&fallback.content)
                }
                _ => None,
            };
            let Some(content) = content else { continue };
            if misfit {
                outcome.skip(Skip::Misnested);
            } else if patch.policies.as_ref().is_some_and(|subject| !subject.admits(&self.policies)) {
                outcome.skip(Skip::Policy);
            } else if !content.encodable {
                outcome.skip(Skip::Charset);
            } else {
                outcome.applied = outcome.applied.saturating_add(1);
                if !patch.is_probe {
                    self.at_landmarks.push((owner, number));
                    inserted.extend_from_slice(&content.bytes);
                }
            }
        }
        let has_late_only = inserted.is_empty();
        if landmark == Landmark::BodyEnd {
            inserted.extend(self.late_markup(misfit));
        }
        let is_closed = has_late_only && self.late.iter().all(|insertion| insertion.in_xml);
        let lead = if is_closed { &[] } else { lead };
        if inserted.is_empty() {
            return Ok(());
        }
        self.splicer.edit(Edit::insert(at, [self.ended.write(lead), inserted].concat(), owner))
    }

    /// What the late insertions come to, now that all patches have come to something.
    fn late_markup(&mut self, misfit: bool) -> Vec<u8> {
        let mut inserted = Vec::new();
        if self.late.is_empty() {
            return inserted;
        }
        let outcomes = self.outcomes_so_far();
        for (insertion, outcome) in self.late.iter().zip(&mut self.late_outcomes) {
            let Some(markup) = insertion.content.markup(&outcomes) else { continue };
            if misfit {
                outcome.skip(Skip::Misnested);
            } else if insertion.policies.as_ref().is_some_and(|subject| !subject.admits(&self.policies)) {
                outcome.skip(Skip::Policy);
            } else {
                outcome.applied = outcome.applied.saturating_add(1);
                inserted.extend(markup);
            }
        }
        inserted
    }
}
