//! Patches that are written twice, and patches of which one is lost where both apply.

use std::collections::BTreeMap;

use serde_json::Value;

use super::effects::{Counts, Effect, effects};
use super::guards::Survey;
use super::{Lint, Part};
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::Code;

/// With so many of those before it a patch is compared: guards are asked about each.
const MAX_COMPARED: usize = 64;

impl Lint<'_> {
    pub(super) fn conflicts(&mut self, part: &Part<'_>) {
        let patches: Vec<_> = part.patches().collect();
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        let mut copies = Vec::new();
        for (index, (path, written, patch)) in patches.iter().enumerate() {
            let Some(text) = without_name(written) else { continue };
            if let Some(first) = seen.get(&text) {
                copies.push(index);
                let message = format!(
                    "patch {} is patch {first} again, to the letter; take one of them out",
                    patch.label
                );
                self.add(Code::DuplicatePatch, path.clone(), message);
            } else {
                seen.insert(text, &patch.label);
            }
        }
        let mut by_target: BTreeMap<_, Vec<(usize, Effect<'_>)>> = BTreeMap::new();
        for (index, (path, written, _)) in
            patches.iter().enumerate().filter(|(index, _)| !copies.contains(index))
        {
            for effect in effects(written, path) {
                by_target.entry(effect.target.clone()).or_default().push((index, effect));
            }
        }
        for effects in by_target.values() {
            for (position, (index, later)) in effects.iter().enumerate() {
                // One remark a place: the nearest conflict says enough.
                let before = effects.iter().take(position).rev().filter(|(other, _)| other != index);
                let before = before.take(MAX_COMPARED);
                let found = before.filter_map(|(other, earlier)| {
                    let (earlier, later) = ((patches.get(*other)?, earlier), (patches.get(*index)?, later));
                    self.conflict(earlier, later)
                });
                if let Some((path, message)) = found.into_iter().next() {
                    self.add(Code::ConflictingPatches, path, message);
                }
            }
        }
    }

    /// Where to say that one of the two is lost, and how.
    fn conflict(
        &self,
        earlier: (&(Path, &model::Patch, &crate::patch::Patch), &Effect<'_>),
        later: (&(Path, &model::Patch, &crate::patch::Patch), &Effect<'_>),
    ) -> Option<(Path, String)> {
        let ((first, of_first), (second, of_second)) = (earlier, later);
        let counts = of_first.against(of_second)?;
        let ((_, written, winner), (_, beaten, loser), effect) = match counts {
            Counts::Earlier => (first, second, of_second),
            Counts::Later => (second, first, of_first),
        };
        if beaten.all && !written.all {
            // Only the first of several elements is another one's.
            return None;
        }
        let Survey { both, only_first, only_second, is_complete } =
            self.survey((written, winner), (beaten, loser))?;
        // That the one applies wherever the other does takes more than requests that were tried out.
        let is_wider =
            is_complete || winner.guarded_by().next().is_none() || has_same_guards(written, beaten);
        let (slot, target) = (&effect.slot, &effect.target);
        let order = match counts {
            Counts::Earlier => "the earlier one",
            Counts::Later => "the later one",
        };
        if !both {
            return None;
        }
        let may_meet = only_first && only_second && !self.may_be_for_others(winner, loser);
        let (winner, loser) = (&winner.label, &loser.label);
        let message = if !only_second && is_wider {
            format!(
                "what patch {loser} does to {slot} of {target} is never seen: wherever it applies, patch {winner} does, too, and of two \
                 {order} counts; guard them so that they exclude each other, or take one out"
            )
        } else if may_meet {
            format!(
                "patches {winner} and {loser} both change {slot} of {target}, and a request may be for both: {order} counts, which is \
                 patch {winner}; guard them so that they exclude each other"
            )
        } else {
            // An exception to what holds otherwise, which is a way to write it; or it may be one.
            return None;
        };
        Some((effect.path.clone(), message))
    }
}

fn has_same_guards(one: &model::Patch, other: &model::Patch) -> bool {
    one.when == other.when && one.variant == other.variant && one.flag == other.flag
}

/// The patch as text, but for what it is called.
fn without_name(patch: &model::Patch) -> Option<String> {
    let mut value = serde_json::to_value(patch).ok()?;
    if let Value::Object(fields) = &mut value {
        fields.remove("name");
    }
    Some(value.to_string())
}
