//! The body of an answer as it leaves: through the edits, chunk by chunk. The next chunk is asked for when the last one has left.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use engraft::headers::HeaderEdit;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::live::Injected;
use super::ongoing::{Ongoing, Phase};
use super::recent::End;
use super::source::Source;
use crate::time;

/// What an answer of the server has for a body.
pub(crate) enum Outgoing {
    Page(Box<Page>),
    /// Written by the server itself.
    Written(Source),
    /// What somebody sends as it happens.
    Events(mpsc::Receiver<Bytes>),
}

/// See the [module](self).
pub(crate) struct Page {
    source: Source,
    ongoing: Ongoing,
    /// Edits of the edited page: not the configuration's.
    injected: Option<Injected>,
    /// What may leave.
    ready: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    /// How much of the body is still to come, where the origin said how long it is.
    remaining: Option<u64>,
    /// All has been taken from the source.
    has_ended: bool,
    /// Why the answer is broken off once what is ready has left.
    broken: Option<io::Error>,
    is_breaking: bool,
}

impl Page {
    pub(crate) fn new(source: Source, ongoing: Ongoing, content_length: Option<u64>) -> Self {
        Self {
            source,
            ongoing,
            injected: None,
            ready: VecDeque::new(),
            trailers: None,
            remaining: content_length,
            has_ended: false,
            broken: None,
            is_breaking: false,
        }
    }

    /// Waits with the head for as much of the body as decides about it, and gives its changes: a body may turn out not to be what its
    /// coding says, and then goes out as it came, with its own head.
    pub(crate) async fn hold_head(&mut self) -> Vec<HeaderEdit> {
        let mut kept = Vec::new();
        let mut out = Vec::new();
        while let Phase::Editing(edits) = &mut self.ongoing.phase {
            if !edits.holds_head() {
                break;
            }
            match self.source.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        kept.push(data.clone());
                        out.extend(self.edit(data));
                    }
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Some(Err(error)) => {
                    self.broken = Some(error);
                    break;
                }
                None => self.source = Source::EMPTY,
            }
            if self.trailers.is_some() {
                self.source = Source::EMPTY;
            }
            if self.source.is_end_stream() {
                out.extend(self.finish_edits());
                break;
            }
        }
        let Phase::Editing(edits) = &mut self.ongoing.phase else { return Vec::new() };
        if edits.is_broken() {
            // All of it is still here.
            edits.take_back();
            if !edits.is_broken() {
                out = kept;
            }
        }
        let head = edits.take_restored_head().unwrap_or_default();
        edits.release_head();
        out.into_iter().for_each(|bytes| self.emit(bytes));
        head
    }

    /// The page that leaves is edited once more.
    pub(crate) fn inject(&mut self, injected: Injected) {
        let ready = std::mem::take(&mut self.ready);
        self.injected = Some(injected);
        ready.into_iter().for_each(|bytes| self.inject_into(bytes));
    }

    /// The head leaves. A body that is over already is never asked for.
    pub(crate) fn begin(mut self) -> Outgoing {
        self.break_off_if_broken();
        if self.broken.is_none() && self.is_at_end() {
            self.finish();
        }
        Outgoing::Page(Box::new(self))
    }

    fn has_left(&self) -> bool {
        self.ready.is_empty() && self.trailers.is_none() && self.broken.is_none()
    }

    /// Whether no part of the body is to come: nobody may ask once the last one has left.
    fn is_at_end(&self) -> bool {
        self.remaining == Some(0) || self.source.is_end_stream()
    }

    pub(crate) const fn ongoing(&mut self) -> &mut Ongoing {
        &mut self.ongoing
    }

    /// What a chunk comes to.
    fn edit(&mut self, data: Bytes) -> [Bytes; 2] {
        self.ongoing.came(&data);
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.remaining = self.remaining.map(|left| left.saturating_sub(length));
        match &mut self.ongoing.phase {
            Phase::Editing(edits) if !edits.is_done() => {
                let mut out = Vec::new();
                let since = time::instant();
                let tail = edits.write(&data, &mut out);
                self.ongoing.worked("body", since);
                [out.into(), data.slice(data.len().saturating_sub(tail)..)]
            }
            _ => [Bytes::new(), data],
        }
    }

    fn finish_edits(&mut self) -> Option<Bytes> {
        let Phase::Editing(edits) = &mut self.ongoing.phase else { return None };
        let mut out = Vec::new();
        let since = time::instant();
        edits.finish(&mut out);
        self.ongoing.worked("body", since);
        Some(out.into())
    }

    fn emit(&mut self, bytes: Bytes) {
        self.ongoing.leaves(&bytes);
        self.inject_into(bytes);
    }

    fn inject_into(&mut self, bytes: Bytes) {
        match &mut self.injected {
            Some(injected) => {
                self.ready.extend(injected.write(bytes));
                if injected.is_broken() {
                    self.broken = Some(broken_coding());
                }
            }
            None => self.ready.push_back(bytes),
        }
        while self.ready.front().is_some_and(Bytes::is_empty) {
            self.ready.pop_front();
        }
    }

    fn take(&mut self, data: Bytes) {
        self.edit(data).into_iter().for_each(|bytes| self.emit(bytes));
        self.break_off_if_broken();
        if self.broken.is_none() && self.is_at_end() {
            self.finish();
        }
    }

    /// The body has ended.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        if let Some(bytes) = self.finish_edits() {
            self.emit(bytes);
        }
        self.break_off_if_broken();
        self.end();
    }

    fn end(&mut self) {
        if self.broken.is_some() {
            return;
        }
        if let Some(injected) = self.injected.take() {
            match injected.end() {
                Ok(bytes) => self.ready.push_back(bytes),
                Err(bytes) => {
                    self.ready.push_back(bytes);
                    self.broken = Some(broken_coding());
                    return self.break_off_if_broken();
                }
            }
        }
        self.ongoing.end(End::Whole);
    }

    /// A part of a page must not pass for a page.
    fn break_off_if_broken(&mut self) {
        if matches!(&self.ongoing.phase, Phase::Editing(edits) if edits.is_broken()) {
            self.broken = Some(broken_coding());
        }
        if let Some(error) = &self.broken {
            self.ongoing.end(End::Failed(error.to_string()));
        }
    }
}

fn broken_coding() -> io::Error {
    io::Error::other("the origin's body is not what its content coding says")
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Page(page) => page.poll_frame(cx),
            Self::Written(source) => Pin::new(source).poll_frame(cx),
            Self::Events(events) => {
                events.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            // Trailers may follow what has ended.
            Self::Page(page) => page.has_ended && page.has_left() && page.source.is_end_stream(),
            Self::Written(source) => source.is_end_stream(),
            Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Written(source) => source.size_hint(),
            // Who says how long a page is, is its head.
            Self::Page(_) | Self::Events(_) => SizeHint::default(),
        }
    }
}

impl Page {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                if bytes.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            // What is ready leaves first: a connection that is broken off takes along what has not left yet.
            if self.broken.is_some() && !std::mem::replace(&mut self.is_breaking, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(error) = self.broken.take() {
                self.has_ended = true;
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            // What ended may have trailers all the same, if it said how long it is.
            match ready!(Pin::new(&mut self.source).poll_frame(cx)) {
                None if self.has_ended => return Poll::Ready(None),
                None => self.finish(),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.take(data),
                    Err(frame) => {
                        self.finish();
                        self.trailers = frame.into_trailers().ok();
                    }
                },
                Some(Err(error)) => {
                    // Nothing is lost that came.
                    self.broken = Some(error);
                    self.break_off_if_broken();
                }
            }
        }
    }
}
