//! The payload of a root context: carries out what the core's [feed](engraft::feed) says, or has the one of the configuration.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engraft::config::model::Stage;
use engraft::engine::Engine;
use engraft::feed::{Action, AnswerHead, Failure, Feed, Moment, Question, Source};
use engraft::live::Live;
use log::{info, warn};

use crate::calls::{Caller, Calls};
use crate::host::{self, Answer, Call, Refused, SharedData};
use crate::metrics::Metrics;
use crate::ticks::{Client, Ticks};

/// The payload of a root context; a copy is another handle to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload(Rc<RefCell<From>>);

#[derive(Debug, Default)]
enum From {
    #[default]
    Nowhere,
    Configuration(Arc<Live>),
    Service {
        feed: Box<Feed>,
        source: Source,
        ticks: Ticks,
        metrics: Metrics,
        /// What the ticks are set to.
        pace: Duration,
    },
}

impl Payload {
    /// The payload of this configuration. The origin stage decides nothing and asks nobody.
    pub(crate) fn new(engine: &Engine, ticks: &Ticks, metrics: &Metrics) -> Self {
        let Some(growthbook) = engine.growthbook().filter(|_| engine.stage() != Stage::Origin) else {
            return Self::default();
        };
        if let Some(live) = growthbook.live() {
            return Self(Rc::new(RefCell::new(From::Configuration(Arc::clone(live)))));
        }
        let feed = growthbook.feed(host::random_word()).zip(growthbook.source());
        let Some((mut feed, source)) = feed else { return Self::default() };
        // Envoy tries every configuration on its main thread before workers have it, so that none of them is here first.
        feed.open(&mut SharedData);
        let pace = feed.pace();
        ticks.want(Client::Payload, pace);
        Self(Rc::new(RefCell::new(From::Service {
            feed: Box::new(feed),
            source: source.clone(),
            ticks: ticks.clone(),
            metrics: metrics.clone(),
            pace,
        })))
    }

    /// The payload that is in force.
    pub(crate) fn live(&self, now: SystemTime) -> Option<Arc<Live>> {
        match &mut *self.0.borrow_mut() {
            From::Nowhere => None,
            From::Configuration(live) => Some(Arc::clone(live)),
            From::Service { feed, .. } => feed.live(millis(now)).cloned(),
        }
    }

    /// Does what is due.
    pub(crate) fn tick(&self, calls: &mut Calls) {
        let mut from = self.0.borrow_mut();
        if let From::Service { feed, .. } = &mut *from {
            feed.tick(moment(), &mut SharedData);
        }
        from.carry_out(calls);
    }

    /// The service has answered, or not.
    pub(crate) fn answered(&self, question: u32, answer: &Answer, calls: &mut Calls) {
        let mut from = self.0.borrow_mut();
        if let From::Service { feed, .. } = &mut *from {
            let Some((status, headers)) = answer.head() else {
                feed.failed(question, Failure::BrokenOff, moment());
                return from.carry_out(calls);
            };
            let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let head = AnswerHead {
                status,
                tag: header("etag"),
                content_coding: header("content-encoding"),
                body_bytes: answer.body_bytes(),
            };
            feed.answered(question, moment(), &head, || answer.body());
        }
        from.carry_out(calls);
    }
}

impl From {
    fn carry_out(&mut self, calls: &mut Calls) {
        let Self::Service { feed, source, ticks, metrics, pace } = self else { return };
        while let Some(action) = feed.poll_action() {
            match action {
                Action::Ask(question) => {
                    if let Err(refused) = ask(source, &question, calls) {
                        let failure = match refused {
                            Refused::NoCluster => Failure::NoCluster { cluster: source.cluster.clone() },
                            Refused::NotSent => Failure::NotAsked,
                        };
                        feed.failed(question.number, failure, moment());
                    }
                }
                Action::Count(counter) => metrics.add(counter, 1),
                Action::Warn(line) => warn!("{line}"),
                Action::Inform(line) => info!("{line}"),
                _ => {}
            }
        }
        if feed.pace() != *pace {
            *pace = feed.pace();
            ticks.want(Client::Payload, *pace);
        }
    }
}

fn ask(source: &Source, question: &Question, calls: &mut Calls) -> Result<(), Refused> {
    let mut headers = vec![
        (":method", "GET"),
        (":authority", source.authority.as_str()),
        (":path", source.path.as_str()),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", concat!("engraft/", env!("CARGO_PKG_VERSION"))),
    ];
    if let Some(tag) = &question.tag {
        headers.push(("if-none-match", tag));
    }
    let call = Call { cluster: &source.cluster, headers, body: None, timeout: source.timeout };
    calls.send(Caller::Payload { question: question.number }, &call)
}

fn moment() -> Moment {
    Moment { millis: millis(host::now()), random: host::random_word() }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
