//! The editor: patches on one page while it streams, the [locator](super::locate) and the
//! [splicer](super::splice) put together.
//!
//! A patch applies to an element wholly or not at all, and a patch that is skipped leaves the page as if it were not
//! in the configuration. An element that must be held back until its end is known is held up to a bound; if its end
//! never comes, or comes too late, it goes out as the origin sent it.

use std::ops::Range;

use lol_html::AsciiCompatibleEncoding;

use super::fold::Fold;
use super::locate::{Bounds, ElementId, Locator, Lost, PassedOver, Sighting, StartTag, Target};
use super::operation::ElementPatch;
use super::outcome::{Outcome, Skip};
use super::splice::{Edit, Inner, RegionId, SpliceError, Splicer};
use engraft_locate::offset::as_u64;

/// See the [module](self). Call [`write`](Self::write) for each chunk, then [`end`](Self::end) once.
#[derive(Debug)]
pub struct Editor {
    patches: Vec<ElementPatch>,
    locator: Locator,
    splicer: Splicer,
    /// Elements whose end tag has not come, outermost first.
    open: Vec<OpenElement>,
    applied: Vec<(ElementId, usize)>,
    dropped: Vec<u32>,
    outcomes: Vec<Outcome>,
    max_held_bytes: u64,
    bug: Option<SpliceError>,
}

#[derive(Debug)]
struct OpenElement {
    start_tag: StartTag,
    /// Indexes of the patches that will be applied when the end comes.
    patches: Vec<usize>,
    held: Option<(RegionId, u64)>,
}

impl Editor {
    /// Applies `patches` to a page written in `encoding`. `max_held_bytes` bounds the length of an element that is held
    /// back.
    #[must_use]
    pub fn new(
        patches: Vec<ElementPatch>,
        encoding: AsciiCompatibleEncoding,
        bounds: Bounds,
        max_held_bytes: usize,
    ) -> Self {
        let targets: Vec<Target<'_>> = patches
            .iter()
            .map(|patch| {
                let names: Vec<String> =
                    patch.operations.iter().filter_map(|op| op.attribute().map(str::to_owned)).collect();
                Target {
                    selector: &patch.selector,
                    all: patch.all,
                    needs_end: patch.needs_end(),
                    attributes: (!names.is_empty()).then_some(names),
                }
            })
            .collect();
        Self {
            locator: Locator::new(&targets, encoding, bounds),
            splicer: Splicer::default(),
            open: Vec::new(),
            applied: Vec::new(),
            dropped: Vec::new(),
            outcomes: vec![Outcome::default(); patches.len()],
            patches,
            max_held_bytes: as_u64(max_held_bytes),
            bug: None,
        }
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
        self.splicer.push(chunk, self.locator.located(), out)
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

    /// What became of each patch, in their order.
    #[must_use]
    pub fn outcomes(mut self) -> Vec<Outcome> {
        self.dropped.sort_unstable();
        for (element, patch) in self.applied {
            let Some(outcome) = self.outcomes.get_mut(patch) else { continue };
            if self.dropped.binary_search(&element.0).is_ok() {
                outcome.skip(Skip::Covered);
            } else {
                outcome.applied = outcome.applied.saturating_add(1);
            }
        }
        let passed_over = self.locator.passed_over().map(|reason| match reason {
            PassedOver::TooMany => Skip::TooManyElements,
            PassedOver::TagTooLong => Skip::Lost(Lost::TagTooLong),
        });
        let reason = self.locator.lost().map(Skip::Lost).or(passed_over);
        let reason = self.bug.map(|_| Skip::Internal).or(reason);
        for (outcome, patch) in self.outcomes.iter_mut().zip(&self.patches) {
            if patch.all || outcome.matched() == 0 {
                outcome.search_ended = reason;
            }
        }
        self.outcomes
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
                Sighting::End { element, tag } => {
                    self.bound_held(tag.end, chunk)?;
                    self.end_tag(element, tag, chunk)?;
                }
                Sighting::Unclosed { element, tag } => {
                    self.bound_held(tag.end, chunk)?;
                    if let Some(element) = self.take_open(element) {
                        self.give_up(element, Skip::Unclosed, chunk)?;
                    }
                }
            }
        }
        if self.locator.is_looking() {
            return self.bound_held(self.locator.located(), chunk);
        }
        if let Some(lost) = self.locator.lost() {
            while let Some(element) = self.open.pop() {
                self.give_up(element, Skip::Lost(lost), chunk)?;
            }
        }
        Ok(())
    }

    fn start(&mut self, start_tag: StartTag, chunk: &[u8]) -> Result<(), SpliceError> {
        let mut patches = Vec::new();
        for &index in &start_tag.targets {
            let Some(patch) = self.patches.get(index) else { continue };
            let refusal = patch
                .operations
                .iter()
                .find_map(|op| op.refusal(&start_tag.name, start_tag.html, start_tag.can_have_content));
            match refusal {
                Some(reason) => skip(&mut self.outcomes, index, reason),
                None => patches.push(index),
            }
        }
        let any = |wanted: fn(&ElementPatch) -> bool| {
            patches.iter().any(|index| self.patches.get(*index).is_some_and(wanted))
        };
        let (holds, needs_end) = (any(ElementPatch::holds), any(ElementPatch::needs_end));

        if start_tag.can_have_content && holds {
            let start = start_tag.tag.start;
            let held = Some((self.splicer.open(start), start));
            self.open.push(OpenElement { start_tag, patches, held });
            return Ok(());
        }
        let fold = Fold::new(&self.patches, &patches);
        if !start_tag.can_have_content {
            self.tally(&fold, start_tag.element);
            let edits = fold.void(&start_tag, self.splicer.window(chunk));
            return self.edit(edits);
        }
        let edits = fold.at_start(&start_tag, self.splicer.window(chunk));
        if needs_end {
            self.open.push(OpenElement { start_tag, patches, held: None });
        } else {
            self.tally(&fold, start_tag.element);
        }
        self.edit(edits)
    }

    fn end_tag(&mut self, id: ElementId, tag: Range<u64>, chunk: &[u8]) -> Result<(), SpliceError> {
        let Some(OpenElement { start_tag, patches, held }) = self.take_open(id) else { return Ok(()) };
        let fold = Fold::new(&self.patches, &patches);
        self.tally(&fold, id);
        match held {
            Some((region, _)) => {
                let (lead, inner, trail) = fold.whole(&start_tag, tag, self.splicer.window(chunk));
                self.splicer.settle(region, lead, inner, trail, &mut self.dropped)
            }
            None => self.edit(fold.at_end(id.0, tag)),
        }
    }

    /// Lets go of the elements that are certainly longer than may be held, the source being understood up to `located`.
    /// Whether one is does not depend on how the source was cut.
    fn bound_held(&mut self, located: u64, chunk: &[u8]) -> Result<(), SpliceError> {
        let max = self.max_held_bytes;
        let too_long = |element: &OpenElement| {
            element.held.is_some_and(|(_, start)| located.saturating_sub(start) > max)
        };
        while let Some(element) = self.open.iter_mut().find(|element| too_long(element)) {
            let Some((region, _)) = element.held.take() else { continue };
            // What needs the end only, without the element having been held, may still come.
            let (late, kept) = std::mem::take(&mut element.patches)
                .into_iter()
                .partition(|index| self.patches.get(*index).is_some_and(ElementPatch::holds));
            element.patches = kept;
            skip_all(&mut self.outcomes, late, Skip::HeldTooLong);
            let fold = Fold::new(&self.patches, &element.patches);
            let lead = fold.at_start(&element.start_tag, self.splicer.window(chunk));
            self.splicer.settle(region, lead, Inner::Keep, Vec::new(), &mut self.dropped)?;
        }
        Ok(())
    }

    /// An element whose end will not be seen: what needs the end is skipped, the rest is done.
    fn give_up(&mut self, element: OpenElement, reason: Skip, chunk: &[u8]) -> Result<(), SpliceError> {
        let OpenElement { start_tag, patches, held } = element;
        let (late, kept): (Vec<usize>, Vec<usize>) = patches
            .into_iter()
            .partition(|index| self.patches.get(*index).is_some_and(ElementPatch::needs_end));
        skip_all(&mut self.outcomes, late, reason);
        let fold = Fold::new(&self.patches, &kept);
        self.tally(&fold, start_tag.element);
        let Some((region, _)) = held else { return Ok(()) };
        let lead = fold.at_start(&start_tag, self.splicer.window(chunk));
        self.splicer.settle(region, lead, Inner::Keep, Vec::new(), &mut self.dropped)
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
        for element in std::mem::take(&mut self.open) {
            skip_all(&mut self.outcomes, element.patches, Skip::Internal);
        }
        self.splicer.abandon();
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
