//! The payload of a root context: carries out what the core's [feed](engraft::feed) says.

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

/// The payload of a root context, if it is fetched; a copy is another handle to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload(Option<Rc<RefCell<Fetched>>>);

#[derive(Debug)]
struct Fetched {
    feed: Feed,
    source: Source,
    ticks: Ticks,
    metrics: Metrics,
    /// What the ticks are set to.
    pace: Duration,
}

impl Payload {
    /// The payload that this configuration has fetched. The origin stage decides nothing and asks nobody.
    pub(crate) fn new(engine: &Engine, ticks: &Ticks, metrics: &Metrics) -> Self {
        let growthbook = engine.growthbook().filter(|_| engine.stage() != Stage::Origin);
        let feed =
            growthbook.and_then(|growthbook| growthbook.feed(host::random_word()).zip(growthbook.source()));
        let Some((mut feed, source)) = feed else { return Self::default() };
        // Envoy tries every configuration on its main thread before workers have it, so that none of them is here first.
        feed.open(&mut SharedData);
        let pace = feed.pace();
        ticks.want(Client::Payload, pace);
        let (source, ticks, metrics) = (source.clone(), ticks.clone(), metrics.clone());
        Self(Some(Rc::new(RefCell::new(Fetched { feed, source, ticks, metrics, pace }))))
    }

    /// The payload that is in force.
    pub(crate) fn live(&self, now: SystemTime) -> Option<Arc<Live>> {
        self.0.as_ref()?.borrow_mut().feed.live(host::millis(now)).cloned()
    }

    /// Does what is due.
    pub(crate) fn tick(&self, calls: &mut Calls) {
        let Some(fetched) = &self.0 else { return };
        let mut fetched = fetched.borrow_mut();
        fetched.feed.tick(moment(), &mut SharedData);
        fetched.carry_out(calls);
    }

    /// The service has answered, or not.
    pub(crate) fn answered(&self, question: u32, answer: &Answer, calls: &mut Calls) {
        let Some(fetched) = &self.0 else { return };
        let mut fetched = fetched.borrow_mut();
        match answer.head() {
            Some((status, headers)) => {
                let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
                let head = AnswerHead {
                    status,
                    tag: header("etag"),
                    content_coding: header("content-encoding"),
                    body_bytes: answer.body_bytes(),
                };
                fetched.feed.answered(question, moment(), &head, || answer.body());
            }
            None => fetched.feed.failed(question, Failure::BrokenOff, moment()),
        }
        fetched.carry_out(calls);
    }
}

impl Fetched {
    fn carry_out(&mut self, calls: &mut Calls) {
        let Self { feed, source, ticks, metrics, pace } = self;
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
    Moment { millis: host::millis(host::now()), random: host::random_word() }
}
