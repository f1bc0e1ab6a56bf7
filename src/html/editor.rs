//! The editor: patches on one page while it streams, the [locator](super::locate) and the
//! [splicer](super::splice) put together.
//!
//! A patch applies to an element wholly or not at all, and a patch that is skipped leaves the page as if it were not
//! in the configuration. An element that must be held back until its end is known is held up to a bound; if its end
//! never comes, or comes too late, it goes out as the origin sent it.

use std::collections::BTreeMap;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::fold::{AtElement, Changes, Ended, Fold};
use super::late::LateInsertion;
use super::locate::{Bounds, ElementId, End, Locator, Place, Sighting, StartTag, Target};
use super::operation::{ElementPatch, Landmark, Operation, RAW_TEXT, Site};
use super::outcome::{Outcome, Skip};
use super::seam;
use super::splice::{Edit, Inner, Owner, Record, RegionId, SpliceError, Spliced, Splicer};
use super::tag_rewrite::{AttributeChange, TagView};
use super::texts::Texts;
use crate::csp::meta::Policies;
use crate::html::charset::Charset;
use crate::template::escape::markup;
use engraft_locate::offset::as_u64;
use engraft_locate::selector::decode_value;

mod landmark;

/// See the [module](self). Call [`write`](Self::write) for each chunk, then [`end`](Self::end) once.
#[derive(Debug)]
pub struct Editor {
    patches: Vec<ElementPatch>,
    charset: Charset,
    encoding: &'static Encoding,
    locator: Locator,
    splicer: Splicer,
    /// Elements whose end has not come, outermost first.
    open: Vec<OpenElement>,
    texts: Texts,
    /// The target that finds the page's own policies, and what they say.
    policy_target: Option<usize>,
    policies: Policies,
    ended: Ended,
    applied: Vec<(ElementId, usize)>,
    dropped: Vec<u32>,
    outcomes: Vec<Outcome>,
    late: Vec<LateInsertion>,
    late_outcomes: Vec<Outcome>,
    /// Whom edits at landmarks belong to, by their owners, which count down from the greatest.
    at_landmarks: Vec<(Owner, usize)>,
    next_landmark: Owner,
    /// Whether an element has been found for a patch.
    found: Vec<bool>,
    max_held_bytes: u64,
    bug: Option<SpliceError>,
}

/// The edits of a document that have left, in its order, each with the numbers of the patches that had a part in it.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "what was kept, and how much was not")]
pub struct Recorded {
    /// Up to the bounds of a [record](super::splice::Record).
    pub edits: Vec<(Vec<usize>, Spliced)>,
    /// How many more there were.
    pub more: usize,
}

#[derive(Debug)]
struct OpenElement {
    start_tag: StartTag,
    /// The patches that will be applied when the end comes.
    patches: Vec<AtElement>,
    /// Whether the end must come before the element is too long: it is held back, or would be by a patch that is only probed.
    is_bounded: bool,
    held: Option<RegionId>,
}

impl OpenElement {
    /// Whether a patch can't be applied before the end is known.
    fn is_late(&self, patch: &ElementPatch) -> bool {
        patch.holds() || waits(&self.start_tag, patch)
    }
}

/// What finds the policies that a page states (WHATWG HTML § 4.2.5.3).
fn policy_metas() -> Option<Target> {
    let selector = "head > meta[http-equiv=\"content-security-policy\" i]".parse().ok()?;
    let place = Place::Elements { selector: Arc::new(selector), all: true, skip_first: 0 };
    Some(Target { attributes: Some(vec!["content".to_owned()]), ..Target::at(place) })
}

/// Whether a patch can't be applied before the end is known, though it asks for nothing there.
fn waits(start_tag: &StartTag, patch: &ElementPatch) -> bool {
    start_tag.can_have_content
        && ((start_tag.is_fragile && !patch.is_copied())
            || (start_tag.is_unsteady && patch.inserts_at_start()))
}

impl Editor {
    /// Applies `patches` to a page in `charset`. `max_held_bytes` bounds the length of an element that is held back.
    #[must_use]
    pub fn new(patches: Vec<ElementPatch>, charset: Charset, bounds: Bounds, max_held_bytes: usize) -> Self {
        Self::with_late(patches, Vec::new(), charset, bounds, max_held_bytes)
    }

    /// The same, with insertions at the end of the body that depend on what became of the patches.
    #[must_use]
    pub fn with_late(
        patches: Vec<ElementPatch>,
        late: Vec<LateInsertion>,
        charset: Charset,
        bounds: Bounds,
        max_held_bytes: usize,
    ) -> Self {
        let mut targets: Vec<_> = patches.iter().map(ElementPatch::target).collect();
        let fallbacks = patches.iter().filter_map(|patch| Some(patch.fallback.as_ref()?.landmark));
        targets.extend(fallbacks.map(|landmark| Target::at(Place::Landmark(landmark))));
        if !late.is_empty() {
            targets.push(Target::at(Place::Landmark(Landmark::BodyEnd)));
        }
        let asks = patches.iter().any(|patch| patch.policies.is_some())
            || late.iter().any(|insertion| insertion.policies.is_some());
        let policy_target = asks.then_some(targets.len());
        if policy_target.is_some() {
            targets.extend(policy_metas());
        }
        let encoding = charset.encoding();
        Self {
            locator: Locator::new(targets, encoding, bounds),
            splicer: Splicer::default(),
            open: Vec::new(),
            texts: Texts::default(),
            policy_target,
            policies: Policies::default(),
            ended: Ended::default(),
            applied: Vec::new(),
            dropped: Vec::new(),
            outcomes: vec![Outcome::default(); patches.len()],
            late_outcomes: vec![Outcome::default(); late.len()],
            late,
            at_landmarks: Vec::new(),
            next_landmark: Owner::MAX,
            found: vec![false; patches.len()],
            patches,
            charset,
            encoding,
            max_held_bytes: as_u64(max_held_bytes),
            bug: None,
        }
    }

    /// From now on, keeps a record of the edits.
    pub fn record(&mut self) {
        self.splicer.record();
    }

    /// The edits that have left, each with the patches that had a part in it, by their numbers; where a record is kept.
    pub fn take_record(&mut self) -> Option<Recorded> {
        let Record { edits, more, .. } = self.splicer.take_record()?;
        let mut by_owner: BTreeMap<Owner, Vec<usize>> = BTreeMap::new();
        let of_elements = self.applied.iter().map(|(element, patch)| (element.0, *patch));
        for (owner, patch) in of_elements.chain(self.at_landmarks.iter().copied()) {
            by_owner.entry(owner).or_default().push(patch);
        }
        let whose = |spliced: &Spliced| by_owner.get(&spliced.edit.owner).cloned().unwrap_or_default();
        let edits = edits.into_iter().map(|spliced| (whose(&spliced), spliced));
        Some(Recorded { edits: edits.collect(), more })
    }

    /// Whether the rest of the page passes as it is: [`write`](Self::write) need not be called any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.locator.is_looking() && self.splicer.held().is_empty()
    }

    /// The largest number of bytes that were held between two chunks.
    #[must_use]
    pub const fn max_held(&self) -> usize {
        self.splicer.max_held()
    }

    /// Takes the next bytes of the page and adds to `out` what may leave. Returns how many bytes at the end of `chunk`
    /// follow `out` unchanged; they are not copied.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        self.locator.write(chunk);
        self.follow(chunk);
        let limit = self.locator.located().min(self.texts.open_from().unwrap_or(u64::MAX));
        self.splicer.push(chunk, limit, out)
    }

    /// The page has ended: adds to `out` all that is left.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        self.locator.end();
        self.follow(&[]);
        while let Some(element) = self.open.pop() {
            if let Err(bug) = self.give_up(element, Skip::Unclosed, &[]) {
                self.break_off(bug);
            }
        }
        self.splicer.finish(out);
    }

    /// What became of each patch, in their order, and then of each late insertion.
    #[must_use]
    pub fn outcomes(mut self) -> Vec<Outcome> {
        let mut outcomes = self.outcomes_so_far();
        let reason = self.search_ended();
        for mut outcome in self.late_outcomes {
            outcome.search_ended = reason.filter(|_| outcome.matched() == 0);
            outcomes.push(outcome);
        }
        outcomes
    }

    /// The outcomes of the patches, if nothing more comes.
    fn outcomes_so_far(&mut self) -> Vec<Outcome> {
        self.dropped.sort_unstable();
        let mut outcomes = self.outcomes.clone();
        for (element, patch) in &self.applied {
            let Some(outcome) = outcomes.get_mut(*patch) else { continue };
            if self.dropped.binary_search(&element.0).is_ok() {
                outcome.skip(Skip::Covered);
            } else {
                outcome.applied = outcome.applied.saturating_add(1);
            }
        }
        let reason = self.search_ended();
        for (outcome, patch) in outcomes.iter_mut().zip(&self.patches) {
            if matches!(patch.site, Site::Elements { all: true, .. }) || outcome.matched() == 0 {
                outcome.search_ended = reason;
            }
        }
        outcomes
    }

    /// Why not the whole page was searched.
    fn search_ended(&self) -> Option<Skip> {
        let passed_over = self.locator.passed_over().then_some(Skip::TooManyElements);
        let reason = self.locator.lost().map(Skip::Lost).or(passed_over);
        self.bug.map(|_| Skip::Internal).or(reason)
    }

    /// Turns what the locator saw into edits.
    fn follow(&mut self, chunk: &[u8]) {
        let sightings = self.locator.take_sightings();
        if let Err(bug) = self.try_follow(sightings, chunk) {
            self.break_off(bug);
        }
    }

    fn try_follow(&mut self, sightings: Vec<Sighting>, chunk: &[u8]) -> Result<(), SpliceError> {
        for sighting in sightings {
            match sighting {
                Sighting::Start(start_tag) => self.start(start_tag, chunk)?,
                Sighting::End(end) => {
                    self.bound_held(end.tag.end, chunk)?;
                    self.end_texts(end.element)?;
                    self.end_element(end, chunk)?;
                }
                Sighting::Unclosed(element) => {
                    self.end_texts(element)?;
                    if let Some(element) = self.take_open(element) {
                        self.give_up(element, Skip::Unclosed, chunk)?;
                    }
                }
                Sighting::Text { at, raw } => {
                    let text = self.splicer.window(chunk).get(at.clone());
                    self.texts.write(&text, at.start, raw);
                    let edits = self.texts.take_settled();
                    self.edit(edits)?;
                }
                Sighting::TextEnd => {
                    let edits = self.texts.end_node();
                    self.edit(edits)?;
                }
                Sighting::Landmark { landmark, at, lead, misfit } => {
                    self.landmark(landmark, at, &lead, misfit)?;
                }
                Sighting::Untagged { targets, is_clone } => {
                    // A clone has the attributes of the tag that was edited.
                    let copied = |target: &usize| {
                        is_clone && self.patches.get(*target).is_some_and(ElementPatch::is_copied)
                    };
                    let targets: Vec<usize> = targets.into_iter().filter(|target| !copied(target)).collect();
                    skip_all(&mut self.outcomes, targets, Skip::Untagged);
                }
            }
        }
        if self.locator.is_looking() {
            return self.bound_held(self.locator.located(), chunk);
        }
        if let Some(lost) = self.locator.lost() {
            let edits = self.texts.abandon(&mut self.outcomes, Skip::Lost(lost));
            self.edit(edits)?;
            while let Some(element) = self.open.pop() {
                self.give_up(element, Skip::Lost(lost), chunk)?;
            }
        }
        Ok(())
    }

    fn start(&mut self, start_tag: StartTag, chunk: &[u8]) -> Result<(), SpliceError> {
        if start_tag.targets.iter().any(|at| Some(at.target) == self.policy_target) {
            let values = self.values(&start_tag, chunk);
            let content = values.iter().find(|(name, _)| name == "content");
            self.policies.meet(content.map_or("", |(_, value)| value));
        }
        let mut patches = Vec::new();
        let mut values = self.values(&start_tag, chunk);
        for at in &start_tag.targets {
            let Some(patch) = self.patches.get(at.target) else { continue };
            if let Some(found) = self.found.get_mut(at.target) {
                *found = true;
            }
            let refusal = patch
                .operations
                .iter()
                .find_map(|op| op.refusal(&start_tag.name, start_tag.html, start_tag.can_have_content));
            let forbidden = patch.policies.as_ref().is_some_and(|subject| !subject.admits(&self.policies));
            let refusal = refusal.or_else(|| forbidden.then_some(Skip::Policy));
            if let Some(reason) = at.misfit.map(Skip::from).or(refusal) {
                skip(&mut self.outcomes, at.target, reason);
                continue;
            }
            let changes = if patch.is_probe {
                // What it would have set nobody sees.
                self.changes(patch, &start_tag, &mut values.clone())
            } else {
                self.changes(patch, &start_tag, &mut values)
            };
            match changes {
                Ok(Some(changes)) => {
                    patches.push(AtElement { patch: at.target, changes, closers: at.closers.clone() });
                }
                Ok(None) => {}
                Err(reason) => skip(&mut self.outcomes, at.target, reason),
            }
        }
        self.start_texts(&start_tag, chunk);
        let any = |wanted: &dyn Fn(&ElementPatch) -> bool| {
            patches.iter().any(|at| self.patches.get(at.patch).is_some_and(wanted))
        };
        let is_late = |patch: &ElementPatch| patch.holds() || waits(&start_tag, patch);
        let holds = any(&|patch| !patch.is_probe && is_late(patch));
        let is_bounded = any(&is_late);
        let needs_end = is_bounded || any(&ElementPatch::needs_end);

        if start_tag.can_have_content && holds {
            let held = Some(self.splicer.open(start_tag.tag.start));
            self.open.push(OpenElement { start_tag, patches, is_bounded, held });
            return Ok(());
        }
        let fold = Fold::new(&self.patches, &patches);
        if !start_tag.can_have_content {
            self.tally(&fold, start_tag.element);
            let edits = fold.void(&start_tag, self.splicer.window(chunk), &self.ended);
            let edits = self.apart(edits, &start_tag, chunk);
            return self.edit(edits);
        }
        let edits = fold.at_start(&start_tag, self.splicer.window(chunk), &self.ended);
        let edits = self.apart(edits, &start_tag, chunk);
        if needs_end {
            self.open.push(OpenElement { start_tag, patches, is_bounded, held: None });
        } else {
            self.tally(&fold, start_tag.element);
        }
        self.edit(edits)
    }

    /// What the rewrites of a patch make of a start tag, with the new values ready to go in; `None` when they have nothing
    /// to do and nothing else is done. They see the attributes as the patches before left them.
    fn changes(
        &self,
        patch: &ElementPatch,
        start_tag: &StartTag,
        values: &mut Vec<(String, String)>,
    ) -> Result<Option<Changes>, Skip> {
        let mut changes = Vec::new();
        let mut others = patch.operations.is_empty();
        for operation in &patch.operations {
            let rewrite = match operation {
                Operation::RewriteTag(rewrite) => rewrite,
                // It counts by itself.
                Operation::EditText(_) => continue,
                operation => {
                    match operation {
                        Operation::SetAttribute { name, value, .. } => {
                            put(values, name, decode_value(value, self.encoding).into_owned());
                        }
                        Operation::RemoveAttribute(name) => values.retain(|(known, _)| known != name),
                        _ => {}
                    }
                    others = true;
                    continue;
                }
            };
            let view = TagView { name: &start_tag.name, html: start_tag.html, attributes: values };
            for change in rewrite.rewrite(&view)? {
                let value = match &change {
                    AttributeChange::Set(name, value) => {
                        put(values, name, value.clone());
                        let mut escaped = String::new();
                        markup(value, &mut escaped);
                        self.charset.encode(&escaped)
                    }
                    AttributeChange::Remove(name) => {
                        values.retain(|(known, _)| known.as_str() != name);
                        Vec::new()
                    }
                };
                changes.push((change, value));
            }
        }
        Ok((others || !changes.is_empty()).then_some(changes))
    }

    /// The attributes that were asked for, the first of each name, decoded.
    fn values(&self, start_tag: &StartTag, chunk: &[u8]) -> Vec<(String, String)> {
        let window = self.splicer.window(chunk);
        let mut values: Vec<(String, String)> = Vec::new();
        for place in &start_tag.attributes {
            if !values.iter().any(|(name, _)| *name == place.name) {
                let value = place.value_at.clone().map(|at| window.get(at)).unwrap_or_default();
                values.push((place.name.clone(), decode_value(&value, self.encoding).into_owned()));
            }
        }
        values
    }

    /// Editors of the element's text.
    fn start_texts(&mut self, start_tag: &StartTag, chunk: &[u8]) {
        if !start_tag.can_have_content {
            return;
        }
        let values = self.values(start_tag, chunk);
        let value =
            |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let mut chain = Vec::new();
        let mut probes = Vec::new();
        for at in start_tag.targets.iter().filter(|at| at.misfit.is_none()) {
            let Some(patch) = self.patches.get(at.target) else { continue };
            for operation in &patch.operations {
                let Operation::EditText(factory) = operation else { continue };
                // In SVG the text of a script or a style is markup.
                let editor = match start_tag.html || !matches!(start_tag.name.as_str(), "script" | "style") {
                    true => factory.editor(&start_tag.name, &value),
                    false => Err(Skip::RawText),
                };
                match editor {
                    Ok(Some(editor)) if patch.is_probe => probes.push((at.target, editor)),
                    Ok(Some(editor)) if factory.is_chained() => chain.push((at.target, editor)),
                    Ok(Some(editor)) => self.texts.open(start_tag.element, at.target, editor),
                    Ok(None) => {}
                    Err(reason) => skip(&mut self.outcomes, at.target, reason),
                }
            }
        }
        self.texts.open_chain(start_tag.element, chain);
        for (patch, editor) in probes {
            self.texts.open_probe(start_tag.element, patch, editor);
        }
    }

    fn end_texts(&mut self, element: ElementId) -> Result<(), SpliceError> {
        let edits = self.texts.end(element, &mut self.applied, &mut self.outcomes);
        self.edit(edits)
    }

    fn end_element(&mut self, mut end: End, chunk: &[u8]) -> Result<(), SpliceError> {
        let Some(mut element) = self.take_open(end.element) else { return Ok(()) };
        if end.is_strayed {
            return self.give_up(element, Skip::Misnested, chunk);
        }
        for (target, misfit) in std::mem::take(&mut end.misfits) {
            if let Some(at) = element.patches.iter().position(|at| at.patch == target) {
                element.patches.remove(at);
                skip(&mut self.outcomes, target, Skip::from(misfit));
            }
        }
        for (target, slot, closers) in std::mem::take(&mut end.closers) {
            if let Some(at) = element.patches.iter_mut().find(|at| at.patch == target) {
                at.closers.push((slot, closers));
            }
        }
        let OpenElement { start_tag, patches, held, .. } = element;
        let fold = Fold::new(&self.patches, &patches);
        self.tally(&fold, end.element);
        match held {
            Some(region) => {
                let source = self.splicer.window(chunk);
                let (lead, inner, trail) = fold.whole(&start_tag, &end, source, &mut self.ended);
                let (lead, trail) =
                    (self.apart(lead, &start_tag, chunk), self.apart(trail, &start_tag, chunk));
                self.splicer.settle(region, lead, inner, trail, &mut self.dropped)
            }
            None => {
                let edits = fold.at_end(end.element.0, &end, &mut self.ended).into();
                let edits = self.apart(edits, &start_tag, chunk);
                self.edit(edits)
            }
        }
    }

    /// Lets go of the elements that are certainly longer than may be held, the source being understood up to `located`.
    /// Whether one is does not depend on how the source was cut.
    fn bound_held(&mut self, located: u64, chunk: &[u8]) -> Result<(), SpliceError> {
        let max = self.max_held_bytes;
        let too_long = |element: &OpenElement| {
            element.is_bounded && located.saturating_sub(element.start_tag.tag.start) > max
        };
        while let Some(at) = self.open.iter().position(too_long) {
            let Some(element) = self.open.get_mut(at) else { break };
            element.is_bounded = false;
            // What needs the end only, without the element having been held, may still come.
            let late: Vec<bool> = element
                .patches
                .iter()
                .map(|at| self.patches.get(at.patch).is_some_and(|patch| element.is_late(patch)))
                .collect();
            let mut late = late.into_iter();
            let (late, kept): (Vec<AtElement>, Vec<AtElement>) = std::mem::take(&mut element.patches)
                .into_iter()
                .partition(|_| late.next().unwrap_or_default());
            element.patches = kept;
            skip_all(&mut self.outcomes, late.into_iter().map(|at| at.patch), Skip::HeldTooLong);
            let Some(region) = element.held.take() else { continue };
            let fold = Fold::new(&self.patches, &element.patches);
            let lead = fold.at_start(&element.start_tag, self.splicer.window(chunk), &self.ended);
            let start_tag = element.start_tag.clone();
            let lead = self.apart(lead, &start_tag, chunk);
            self.splicer.settle(region, lead, Inner::Keep, Vec::new(), &mut self.dropped)?;
        }
        Ok(())
    }

    /// An element whose end will not be seen: what needs the end is skipped, the rest is done.
    fn give_up(&mut self, element: OpenElement, reason: Skip, chunk: &[u8]) -> Result<(), SpliceError> {
        let OpenElement { start_tag, patches, held, .. } = element;
        let (late, kept): (Vec<AtElement>, Vec<AtElement>) = patches.into_iter().partition(|at| {
            self.patches.get(at.patch).is_some_and(|patch| patch.needs_end() || waits(&start_tag, patch))
        });
        skip_all(&mut self.outcomes, late.into_iter().map(|at| at.patch), reason);
        let fold = Fold::new(&self.patches, &kept);
        self.tally(&fold, start_tag.element);
        let Some(region) = held else { return Ok(()) };
        let lead = fold.at_start(&start_tag, self.splicer.window(chunk), &self.ended);
        let lead = self.apart(lead, &start_tag, chunk);
        self.splicer.settle(region, lead, Inner::Keep, Vec::new(), &mut self.dropped)
    }

    /// Edits at the tags of an element, such that no text before them makes a tag together with what is inserted or what follows.
    fn apart(&self, mut edits: Vec<Edit>, start_tag: &StartTag, chunk: &[u8]) -> Vec<Edit> {
        let is_raw = start_tag.html && RAW_TEXT.contains(&start_tag.name.as_str());
        for edit in &mut edits {
            let at = edit.range.start;
            let is_in_tag = at > start_tag.tag.start && at < start_tag.tag.end;
            let is_in_raw_text = is_raw && at > start_tag.tag.start && edit.range.is_empty();
            if is_in_tag || is_in_raw_text || (edit.range.is_empty() && edit.with.is_empty()) {
                continue;
            }
            let before = self.splicer.before(at, chunk);
            let next = at..edit.range.end.min(at.saturating_add(1));
            // The name of a tag that gets another one.
            let is_name = self.splicer.window(chunk).get(next).first().is_some_and(u8::is_ascii_alphabetic);
            if is_name {
                continue;
            }
            if !edit.with.is_empty() {
                edit.with = seam::behind(&before, std::mem::take(&mut edit.with));
            } else if before.last() == Some(&b'<') {
                edit.with = seam::APART.to_vec();
            }
        }
        edits
    }

    fn edit(&mut self, edits: impl IntoIterator<Item = Edit>) -> Result<(), SpliceError> {
        edits.into_iter().try_for_each(|edit| self.splicer.edit(edit))
    }

    fn tally(&mut self, fold: &Fold, element: ElementId) {
        self.applied.extend(fold.effective.iter().map(|patch| (element, *patch)));
        skip_all(&mut self.outcomes, fold.covered.iter().copied(), Skip::Covered);
    }

    fn take_open(&mut self, id: ElementId) -> Option<OpenElement> {
        let at = self.open.iter().rposition(|element| element.start_tag.element == id)?;
        Some(self.open.remove(at))
    }

    /// The order of calls was broken, by us: no more edits, the rest of the page passes.
    fn break_off(&mut self, bug: SpliceError) {
        self.bug = Some(bug);
        self.locator.stop();
        let _ = self.texts.abandon(&mut self.outcomes, Skip::Internal);
        for element in std::mem::take(&mut self.open) {
            let patches = element.patches.into_iter().map(|at| at.patch);
            skip_all(&mut self.outcomes, patches, Skip::Internal);
        }
        self.splicer.abandon();
    }
}

/// What a later step sees of an attribute that an earlier one has set.
fn put(values: &mut Vec<(String, String)>, name: &str, value: String) {
    match values.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => values.push((name.to_owned(), value)),
    }
}

fn skip(outcomes: &mut [Outcome], patch: usize, reason: Skip) {
    if let Some(outcome) = outcomes.get_mut(patch) {
        outcome.skip(reason);
    }
}

fn skip_all(outcomes: &mut [Outcome], patches: impl IntoIterator<Item = usize>, reason: Skip) {
    for patch in patches {
        skip(outcomes, patch, reason);
    }
}

#[cfg(test)]
mod tests;
