//! Finds the places of a [plan](super::plan) in a text that streams by, and says what changes there.

use std::collections::BTreeSet;
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8};
use engraft_locate::offset::as_u64;

use super::Bounds;
use super::guard::Guard;
use super::lexer::{Fault, Lexer, Shape, Token};
use super::plan::{Action, Plan, Step};
use super::text::{self, Bytes};
use crate::html::outcome::Skip;
use crate::html::text_editor::{TextEdit, TextEditor, TextOutcome};

/// How many members may repeat a name that a plan asks for, in one text. Each of them is edited, so without a bound a short
/// text could grow beyond measure.
pub const MAX_REPEATS: u32 = 64;

/// How much whitespace may stand before a bracket for a new member to be put before it.
const MAX_TAIL_BYTES: u64 = 256;

/// Where the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third medium")]
pub enum Medium {
    /// It is a body of its own: UTF-8 (RFC 8259 § 8.1).
    Body,
    /// In a `script` element of an HTML page with this encoding, if it is known.
    Script(Option<&'static Encoding>),
}

impl Medium {
    /// Whether characters beyond ASCII can be written as they are.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        match self {
            Self::Body => true,
            Self::Script(encoding) => encoding == Some(UTF_8),
        }
    }
}

/// See the [module](self). It holds back a value that is to be replaced or removed, up to `Bounds::max_held_bytes`, and a few
/// bytes where a member may have to go together with its comma.
#[derive(Debug)]
pub struct Editor {
    plan: Rc<Plan<String>>,
    /// What became of each step of the plan.
    statuses: Vec<Status>,
    lexer: Lexer,
    bytes: Bytes,
    guard: Option<Guard>,
    utf8: bool,
    max_held_bytes: u64,
    /// Where the next byte stands; `None` before the first one.
    position: Option<u64>,
    text_ended: bool,
    /// Arrays and objects on the way to a place, outermost first; a value that is directly in the last one has as many around it.
    frames: Vec<Frame>,
    /// Bytes of a key that is being read, if it matters.
    key: Option<Vec<u8>>,
    pending: Option<Pending>,
    repeats: u32,
    lost: Option<Skip>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Missed,
    Applied,
    Skipped(Skip),
}

/// An array or object that has something to be done in it.
#[derive(Debug)]
struct Frame {
    step: usize,
    is_object: bool,
    /// Members have been read that stay, or been inserted: the next one needs the comma before it.
    emitted: bool,
    /// From where on bytes would have to go with the next member: its comma, or what is before the first one that stays.
    gap: u64,
    /// Where the last member ends, or the bracket that opens.
    last_end: u64,
    /// The index of the next element.
    index: u64,
    /// The step for the value that follows.
    matched: Option<usize>,
    /// Steps whose key has come.
    seen: BTreeSet<usize>,
    /// Steps whose value should have been removed and was not: what repeats its key must stay as well, or the one that stayed
    /// would come to light.
    kept: BTreeSet<usize>,
    removes: bool,
    adds: bool,
    waits: Waits,
}

/// Where in an array or object the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// Behind the bracket that opens: a member may have to go, or be put there.
    Opened,
    /// Before a member that may have to go, its comma first.
    Member,
    /// Nothing that has come may have to change.
    Nothing,
    /// Behind a member: another one may be put there.
    Behind,
}

/// A value that is to be replaced or removed, and whose end has not come.
#[derive(Debug)]
struct Pending {
    step: usize,
    start: u64,
    removes: bool,
    /// Its end, where only the comma behind it is still missing.
    end: Option<u64>,
    /// It is too long.
    abandoned: bool,
}

impl Editor {
    /// An editor for one text.
    #[must_use]
    pub fn new(plan: Rc<Plan<String>>, medium: Medium, bounds: Bounds) -> Self {
        let (bytes, in_script) = match medium {
            Medium::Body => (Bytes::Plain, false),
            Medium::Script(encoding) => (Bytes::of(encoding), true),
        };
        Self {
            statuses: vec![Status::Missed; plan.len()],
            plan,
            lexer: Lexer::new(bytes, in_script, bounds.max_depth),
            bytes,
            guard: in_script.then(Guard::default),
            utf8: medium.is_utf8(),
            max_held_bytes: as_u64(bounds.max_held_bytes),
            position: None,
            text_ended: false,
            frames: Vec::new(),
            key: None,
            pending: None,
            repeats: 0,
            lost: None,
        }
    }

    /// Whether it has given up, so that everything else passes.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    fn at(&self) -> u64 {
        self.position.unwrap_or_default()
    }

    fn give_up(&mut self, reason: Skip) {
        self.lost = Some(reason);
        self.pending = None;
        self.frames = Vec::new();
        self.key = None;
    }

    fn token(&mut self, plan: &Plan<String>, token: Token, edits: &mut Vec<TextEdit>) {
        match token {
            Token::Value(shape) => self.value(plan, shape, edits),
            Token::ValueEnd => self.value_end(plan, edits),
            Token::Key if self.is_in_frame() => self.key = Some(Vec::new()),
            Token::KeyEnd => self.key_end(plan),
            Token::Comma if self.is_in_frame() => self.comma(edits),
            Token::Key | Token::Comma => {}
        }
    }

    /// Whether the text is directly in the last frame, not deeper.
    fn is_in_frame(&self) -> bool {
        self.lexer.depth() == self.frames.len()
    }

    fn key_end(&mut self, plan: &Plan<String>) {
        let (Some(raw), Some(frame)) = (self.key.take(), self.frames.last_mut()) else { return };
        let branches = plan.step(frame.step).map(|step| &step.branches);
        let found = branches.and_then(|branches| {
            let fits = raw.len() <= branches.longest_key();
            let name = fits.then(|| text::key(&raw, self.bytes.encoding(), self.guard.is_some()))?;
            branches.member(&name?)
        });
        frame.matched = None;
        if let Some((index, step)) = found.and_then(|index| Some((index, plan.step(index)?))) {
            if !frame.seen.insert(index) {
                self.repeats = self.repeats.saturating_add(1);
                if self.repeats > MAX_REPEATS {
                    return self.give_up(Skip::JsonRepeats);
                }
            }
            if !frame.kept.contains(&index) {
                frame.matched = Some(index);
                // What was done for an earlier member of this name does not count.
                self.statuses
                    .iter_mut()
                    .take(step.end)
                    .skip(index)
                    .for_each(|status| *status = Status::Missed);
            }
        }
        let removes = frame.matched.and_then(|index| plan.step(index)).is_some_and(Step::removes);
        if !removes {
            frame.waits = Waits::Nothing;
        }
    }

    fn value(&mut self, plan: &Plan<String>, shape: Shape, edits: &mut Vec<TextEdit>) {
        let around = self.lexer.depth().saturating_sub(usize::from(shape != Shape::Scalar));
        if around != self.frames.len() {
            return;
        }
        let end = self.at();
        let start = end.saturating_sub(1);
        let (found, gap, in_array) = match self.frames.last_mut() {
            None => (Some(0), start, false),
            Some(frame) => {
                frame.waits = Waits::Nothing;
                (frame.take_match(plan), frame.gap, !frame.is_object)
            }
        };
        let Some((index, step)) = found.and_then(|index| Some((index, plan.step(index)?))) else { return };
        let mut pending = Pending { step: index, start, removes: false, end: None, abandoned: false };
        match (&step.action, shape) {
            (Action::Walk, Shape::Scalar) => {}
            (Action::Walk, _) | (Action::Merge(_), Shape::Object) => {
                self.frames.push(Frame::new(plan, index, shape == Shape::Object, end));
            }
            (Action::Insert(value), _) if in_array => {
                edits.push(TextEdit { range: start..start, with: format!("{value},").into_bytes() });
                self.settle(index, Status::Applied);
            }
            (Action::Set(_) | Action::Insert(_) | Action::Merge(_), _) => self.pending = Some(pending),
            (Action::Remove, _) => {
                pending.start = gap;
                pending.removes = true;
                self.pending = Some(pending);
            }
        }
    }

    fn value_end(&mut self, plan: &Plan<String>, edits: &mut Vec<TextEdit>) {
        let depth = self.lexer.depth();
        if self.frames.len() < depth {
            return;
        }
        if self.frames.len() > depth {
            self.close(plan, edits);
        }
        let end = self.at();
        let emitted = self.frames.last().is_some_and(|frame| frame.emitted);
        let mut stays = true;
        if let Some(mut pending) = self.pending.take() {
            if pending.removes && !emitted && self.refusal(&pending).is_none() {
                pending.end = Some(end);
                self.pending = Some(pending);
                stays = false;
            } else {
                stays = !self.change(plan, &pending, end, edits) || !pending.removes;
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.last_end = end;
            frame.waits = Waits::Behind;
            frame.emitted |= stays;
        }
    }

    fn comma(&mut self, edits: &mut Vec<TextEdit>) {
        let end = self.at();
        let removed = self.pending.take().map(|pending| self.remove(&pending, end, edits));
        let Some(frame) = self.frames.last_mut() else { return };
        frame.waits = Waits::Member;
        if removed == Some(true) {
            frame.gap = end;
        } else {
            frame.emitted = true;
            frame.gap = end.saturating_sub(1);
        }
    }

    /// The last frame ends: what is missing in it is added.
    fn close(&mut self, plan: &Plan<String>, edits: &mut Vec<TextEdit>) {
        let waiting = self.pending.take();
        let removed = waiting.map(|pending| {
            let end = pending.end.unwrap_or(pending.start);
            self.remove(&pending, end, edits)
        });
        let end = self.at();
        let Some(mut frame) = self.frames.pop() else { return };
        frame.emitted |= removed == Some(false);
        let is_close = end.saturating_sub(frame.last_end) <= MAX_TAIL_BYTES;
        let at = if is_close { frame.last_end } else { end.saturating_sub(1) };
        let mut with = String::new();
        for (name, index, value) in frame.missing(plan) {
            if frame.emitted {
                with.push(',');
            }
            if frame.is_object {
                with.push('"');
                text::escape(name, self.utf8, &mut with);
                with.push_str("\":");
            }
            with.push_str(value);
            frame.emitted = true;
            self.settle(index, Status::Applied);
        }
        if !with.is_empty() {
            edits.push(TextEdit { range: at..at, with: with.into_bytes() });
        }
    }

    /// Removes up to `end`, unless the value must stay. Whether it went.
    fn remove(&mut self, pending: &Pending, end: u64, edits: &mut Vec<TextEdit>) -> bool {
        let refusal = self.refusal(pending);
        if refusal.is_none() {
            edits.push(TextEdit { range: pending.start..end, with: Vec::new() });
        } else if let Some(frame) = self.frames.last_mut() {
            frame.kept.insert(pending.step);
        }
        self.settle(pending.step, refusal.map_or(Status::Applied, Status::Skipped));
        refusal.is_none()
    }

    /// Replaces or removes a value that ends at `end`. Whether it was done.
    fn change(
        &mut self,
        plan: &Plan<String>,
        pending: &Pending,
        end: u64,
        edits: &mut Vec<TextEdit>,
    ) -> bool {
        if pending.removes {
            return self.remove(pending, end, edits);
        }
        let refusal = self.refusal(pending);
        let value = plan.step(pending.step).and_then(|step| step.action.value());
        if let (None, Some(value)) = (refusal, value) {
            edits.push(TextEdit { range: pending.start..end, with: value.clone().into_bytes() });
        }
        self.settle(pending.step, refusal.map_or(Status::Applied, Status::Skipped));
        refusal.is_none()
    }

    /// Why a value whose end is known now must stay. What has come by then is what had to be held.
    fn refusal(&self, pending: &Pending) -> Option<Skip> {
        let range = pending.start..self.at();
        if pending.abandoned || range.end.saturating_sub(range.start) > self.max_held_bytes {
            Some(Skip::JsonTooLong)
        } else if self.guard.as_ref().is_some_and(|guard| !guard.allows_removal(&range)) {
            Some(Skip::ScriptComment)
        } else {
            None
        }
    }

    fn settle(&mut self, step: usize, status: Status) {
        if let Some(known) = self.statuses.get_mut(step) {
            *known = status;
        }
    }
}

impl TextEditor for Editor {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        if self.lost.is_some() || text.is_empty() {
            return;
        }
        // Something stands in the text that is not text.
        if self.text_ended || *self.position.get_or_insert(at) != at {
            return self.give_up(Skip::JsonSyntax);
        }
        let plan = Rc::clone(&self.plan);
        let mut rest = text;
        while !rest.is_empty() && self.lost.is_none() {
            let (used, token) = match self.lexer.next(rest) {
                Ok(read) => read,
                Err(fault) => return self.give_up(fault.into()),
            };
            let (read, after) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            if let Some(key) = &mut self.key {
                let read =
                    if token.is_some() { read.split_last().map_or(read, |(_, key)| key) } else { read };
                // One byte more than any name takes tells that it is none of them.
                let branches = self.frames.last().and_then(|frame| plan.step(frame.step));
                let longest = branches.map_or(0, |step| step.branches.longest_key());
                let room = longest.saturating_add(1).saturating_sub(key.len());
                key.extend(read.iter().take(room));
            }
            if let Some(guard) = &mut self.guard {
                guard.watch(read, self.position.unwrap_or_default());
            }
            self.position = Some(self.at().saturating_add(as_u64(used)));
            rest = after;
            if let Some(token) = token {
                self.token(&plan, token, edits);
            }
        }
        let (end, max) = (self.at(), self.max_held_bytes);
        if let Some(pending) = &mut self.pending {
            pending.abandoned |= end.saturating_sub(pending.start) > max;
        }
    }

    fn end_node(&mut self, _: &mut Vec<TextEdit>) {
        self.text_ended = true;
    }

    fn end(&mut self, edits: &mut Vec<TextEdit>) -> TextOutcome {
        if self.lost.is_none() {
            match self.lexer.end() {
                Ok(true) => {
                    let plan = Rc::clone(&self.plan);
                    self.value_end(&plan, edits);
                }
                Ok(false) => {}
                Err(fault) => self.give_up(fault.into()),
            }
        }
        if let Some(reason) = self.lost {
            return TextOutcome::Skipped(reason);
        }
        let skipped = self.statuses.iter().find_map(|status| match status {
            Status::Skipped(reason) => Some(*reason),
            _ => None,
        });
        match skipped {
            Some(reason) => TextOutcome::Skipped(reason),
            None if self.statuses.contains(&Status::Applied) => TextOutcome::Applied,
            None => TextOutcome::Missed,
        }
    }

    fn open_from(&self) -> Option<u64> {
        if let Some(pending) = self.pending.as_ref().filter(|pending| !pending.abandoned) {
            return Some(pending.start);
        }
        let frame = self.frames.last().filter(|_| self.is_in_frame())?;
        let since = |start: u64, max: u64| (self.at().saturating_sub(start) <= max).then_some(start);
        let removes = matches!(frame.waits, Waits::Opened | Waits::Member) && frame.may_remove(&self.plan);
        let adds = matches!(frame.waits, Waits::Opened | Waits::Behind) && frame.adds;
        let gap = removes.then(|| since(frame.gap, self.max_held_bytes)).flatten();
        let tail = adds.then(|| since(frame.last_end, MAX_TAIL_BYTES)).flatten();
        gap.into_iter().chain(tail).min()
    }
}

impl Frame {
    fn new(plan: &Plan<String>, index: usize, is_object: bool, at: u64) -> Self {
        let steps = || {
            let names = plan.step(index).into_iter().flat_map(|step| step.branches.members());
            names.filter_map(|(_, below)| plan.step(below))
        };
        Self {
            step: index,
            is_object,
            emitted: false,
            gap: at,
            last_end: at,
            index: 0,
            matched: None,
            seen: BTreeSet::new(),
            kept: BTreeSet::new(),
            removes: steps().any(Step::removes),
            adds: steps().any(|step| step.adds(is_object)),
            waits: Waits::Opened,
        }
    }

    /// The step for the value that starts.
    fn take_match(&mut self, plan: &Plan<String>) -> Option<usize> {
        if self.is_object {
            return self.matched.take();
        }
        let found = plan.step(self.step)?.branches.element(self.index);
        self.index = self.index.saturating_add(1);
        found
    }

    fn may_remove(&self, plan: &Plan<String>) -> bool {
        if self.is_object {
            return self.removes;
        }
        let next = plan.step(self.step).and_then(|step| step.branches.element(self.index));
        self.removes && next.and_then(|index| plan.step(index)).is_some_and(Step::removes)
    }

    /// What is to be added at the end: name, step and value.
    fn missing<'p>(&self, plan: &'p Plan<String>) -> Vec<(&'p str, usize, &'p str)> {
        let Some(branches) = plan.step(self.step).map(|step| &step.branches) else { return Vec::new() };
        let value = |name: &'p str, index: usize| {
            let step = plan.step(index).filter(|step| step.adds(self.is_object))?;
            Some((name, index, step.action.value()?.as_str()))
        };
        if self.is_object {
            let unseen = branches.members().filter(|(_, index)| !self.seen.contains(index));
            return unseen.filter_map(|(name, index)| value(name, index)).collect();
        }
        let ends = [branches.element(self.index), branches.member("-")];
        ends.into_iter().flatten().filter_map(|index| value("", index)).collect()
    }
}

impl<V> Step<V> {
    const fn removes(&self) -> bool {
        matches!(self.action, Action::Remove)
    }

    /// Whether it makes what is not there.
    const fn adds(&self, in_object: bool) -> bool {
        match self.action {
            Action::Set(_) | Action::Merge(_) => in_object,
            Action::Insert(_) => true,
            Action::Walk | Action::Remove => false,
        }
    }
}

impl From<Fault> for Skip {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax => Self::JsonSyntax,
            Fault::TooDeep => Self::JsonTooDeep,
            Fault::Charset => Self::Charset,
        }
    }
}
