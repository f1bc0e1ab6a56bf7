//! Exposures: into Envoy's access log, and to the service that collects them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use engraft::config::model::Stage;
use engraft::engine::Engine;
use engraft::exposure::collector::{self, Batch, Collector, Ticket};
use engraft::exposure::{Event, List};

use crate::calls::{Caller, Calls};
use crate::host::{self, Answer, Call};
use crate::metrics::Metrics;
use crate::ticks::{Client, Ticks};

/// How often the queue is looked at.
const PACE: Duration = Duration::from_millis(250);

/// Who is told of exposures, behind the visitor's back; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exposures {
    access_log: bool,
    metrics: Metrics,
    collector: Option<Rc<RefCell<Collecting>>>,
}

#[derive(Debug)]
struct Collecting {
    collector: Collector,
    metrics: Metrics,
}

impl Exposures {
    /// Those that are configured. The origin stage decides nothing.
    pub(crate) fn new(engine: &Engine, ticks: &Ticks, metrics: &Metrics) -> Self {
        if engine.stage() == Stage::Origin {
            return Self::default();
        }
        let sinks = engine.exposures();
        let collector = sinks.collector.clone().map(|settings| {
            ticks.want(Client::Exposures, PACE);
            let collecting = Collecting { collector: Collector::new(settings), metrics: metrics.clone() };
            Rc::new(RefCell::new(collecting))
        });
        Self { access_log: sinks.access_log, metrics: metrics.clone(), collector }
    }

    /// Tells of what a visitor saw; what the access log is to show comes back.
    pub(crate) fn tell(&self, events: &[Event]) -> Option<String> {
        if events.is_empty() {
            return None;
        }
        let now = host::millis(host::now());
        if let Some(collecting) = &self.collector {
            let mut collecting = collecting.borrow_mut();
            events.iter().for_each(|event| collecting.collector.handle_event(event, now));
        }
        if !self.access_log {
            return None;
        }
        let list = List::of(events.iter().map(|event| event.for_server(now)));
        if list.left_out() > 0 {
            self.metrics.add(List::FULL, u64::try_from(list.left_out()).unwrap_or(u64::MAX));
        }
        Some(list.as_json().to_owned())
    }

    /// Does what is due.
    pub(crate) fn tick(&self, calls: &mut Calls) {
        let Some(collecting) = &self.collector else { return };
        let mut collecting = collecting.borrow_mut();
        let now = host::millis(host::now());
        if let Some(batch) = collecting.collector.handle_tick(now)
            && !send(&batch, calls)
        {
            collecting.collector.handle_answer(batch.ticket, collector::Answer::Nothing, now);
        }
        collecting.count();
    }

    /// The service has answered, or not.
    pub(crate) fn answered(&self, ticket: Ticket, answer: &Answer) {
        let Some(collecting) = &self.collector else { return };
        let mut collecting = collecting.borrow_mut();
        let answer =
            answer.head().map_or(collector::Answer::Nothing, |(status, _)| collector::Answer::Status(status));
        collecting.collector.handle_answer(ticket, answer, host::millis(host::now()));
        collecting.count();
    }
}

impl Collecting {
    fn count(&mut self) {
        for (counter, n) in self.collector.take_counts().counters() {
            if n > 0 {
                self.metrics.add(counter, n);
            }
        }
    }
}

/// Whether it is on its way.
fn send(batch: &Batch, calls: &mut Calls) -> bool {
    let mut headers = vec![
        (":method", "POST"),
        (":authority", &*batch.authority),
        (":path", &*batch.path),
        ("user-agent", concat!("engraft/", env!("CARGO_PKG_VERSION"))),
    ];
    let own = batch.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    headers.extend(own);
    let timeout = Duration::from_millis(batch.timeout);
    let call = Call { cluster: &batch.cluster, headers, body: Some(&batch.body), timeout };
    calls.send(Caller::Exposures { ticket: batch.ticket }, &call).is_ok()
}
