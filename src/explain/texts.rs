//! Every text of a trace, for who takes something out of all of them. Written out, as the way through JSON and back would be most of what
//! traces add to the module.

use super::hidden::each_text_of;
use super::trace::{Cache, HeaderChange, Patch, Request, Response, Trace};

type Change<'c> = &'c mut dyn FnMut(&mut String);

impl Trace {
    /// Changes every text, but for the names of members.
    pub(super) fn each_text(&mut self, change: Change<'_>) {
        let engine = &mut self.engine;
        each([&mut engine.version, &mut engine.configuration].into_iter().chain(&mut engine.payload), change);
        self.request.each_text(change);
        for route in &mut self.routes {
            each([&mut route.name].into_iter().chain(&mut route.fails), change);
        }
        each(&mut self.route, change);
        for attribute in &mut self.attributes {
            each([&mut attribute.name, &mut attribute.from], change);
            each_text_of(&mut attribute.value, change);
        }
        for decision in &mut self.decisions {
            each([&mut decision.name, &mut decision.value, &mut decision.because], change);
        }
        self.patches.iter_mut().for_each(|patch| patch.each_text(change));
        if let Some(origin) = &mut self.origin {
            change(&mut origin.url);
            origin.changes.iter_mut().for_each(|it| it.each_text(change));
        }
        self.response.iter_mut().for_each(|response| response.each_text(change));
        self.cache.iter_mut().for_each(|cache| cache.each_text(change));
        if let Some(body) = &mut self.body {
            change(&mut body.state);
            for edit in &mut body.edits {
                each([&mut edit.was, &mut edit.with].into_iter().chain(&mut edit.patches), change);
            }
        }
        for exposure in &mut self.exposures {
            each([&mut exposure.experiment, &mut exposure.variation], change);
        }
        each(&mut self.left_out, change);
    }
}

impl Request {
    fn each_text(&mut self, change: Change<'_>) {
        each([&mut self.method, &mut self.url, &mut self.random].into_iter().chain(&mut self.peer), change);
        for header in &mut self.headers {
            each([&mut header.name, &mut header.value], change);
        }
        each(self.facts.values_mut().chain(self.choices.values_mut()), change);
        self.attributes.values_mut().for_each(|value| each_text_of(value, change));
    }
}

impl Patch {
    fn each_text(&mut self, change: Change<'_>) {
        each([&mut self.name, &mut self.kind, &mut self.site], change);
        each(self.guards.iter_mut().map(|guard| &mut guard.written), change);
        for outcome in &mut self.outcomes {
            let part = outcome.part.iter_mut();
            each(part.chain([&mut outcome.state]).chain(&mut outcome.search_ended), change);
        }
    }
}

impl Response {
    fn each_text(&mut self, change: Change<'_>) {
        for header in &mut self.headers {
            each([&mut header.name, &mut header.value], change);
        }
        self.changes.iter_mut().for_each(|it| it.each_text(change));
        each(&mut self.redirected_by, change);
    }
}

impl HeaderChange {
    fn each_text(&mut self, change: Change<'_>) {
        change(&mut self.name);
        each(self.before.iter_mut().chain(&mut self.after).chain(&mut self.by), change);
    }
}

impl Cache {
    fn each_text(&mut self, change: Change<'_>) {
        let said = self.cache_control.iter_mut().chain(&mut self.depends_on);
        each(said.chain(&mut self.not_storable).chain(&mut self.found), change);
    }
}

fn each<'t>(texts: impl IntoIterator<Item = &'t mut String>, change: Change<'_>) {
    texts.into_iter().for_each(change);
}
