//! Workers of one Envoy, a board and a service, by a clock that is nobody's.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::*;
use crate::decide::evaluation::Evaluation;
use crate::decide::visitor::Visitor;
use serde_json::{Value, json};

/// When the world begins.
const START: u64 = 1_800_000_000_000;

#[derive(Default)]
struct Wall(BTreeMap<String, (Vec<u8>, u32)>, u32, Cell<usize>);

impl Board for Wall {
    fn read(&self, key: &str) -> Option<Entry> {
        let (value, version) = self.0.get(key)?;
        self.2.set(self.2.get() + value.len());
        Some(Entry { value: value.clone(), version: Some(*version) })
    }

    fn write(&mut self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        let current = self.0.get(key).map(|(_, version)| *version);
        if version.is_some() && current.is_some() && version != current {
            return false;
        }
        self.1 += 1;
        self.0.insert(key.to_owned(), (value.to_vec(), self.1));
        true
    }
}

/// What the service does.
#[derive(Clone)]
enum Service {
    Answers(String),
    Says(u16),
    Compresses,
    BreaksOff,
    Hangs,
    NotThere,
    SaysLength(usize),
}

struct Worker {
    feed: Feed,
    tick: u64,
    lives: bool,
    seen: Vec<(u64, Option<i64>)>,
}

struct World {
    now: u64,
    chance: u64,
    board: Wall,
    workers: Vec<Worker>,
    service: Service,
    /// Who asked when, with what.
    asked: Vec<(u64, usize, Option<String>)>,
    /// What arrives when.
    open: Vec<(u64, usize, u32, Service, bool)>,
    counted: BTreeMap<String, usize>,
    warned: Vec<(u64, String)>,
    informed: Vec<String>,
    copied: usize,
}

fn source() -> Source {
    Source {
        cluster: "growthbook".to_owned(),
        authority: "cdn.growthbook.example".to_owned(),
        path: "/api/features/sdk-a".to_owned(),
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
    }
}

/// A payload whose feature `a` is a number.
fn payload(value: i64) -> Service {
    Service::Answers(json!({ "features": { "a": { "defaultValue": value } } }).to_string())
}

/// The validator of a payload.
fn tag(text: &str) -> String {
    format!("\"{:x}\"", crate::live::digest(text.as_bytes()))
}

impl World {
    fn new(workers: u64, service: Service) -> Self {
        let mut world = Self {
            now: START,
            chance: 1,
            board: Wall::default(),
            workers: Vec::new(),
            service,
            asked: Vec::new(),
            open: Vec::new(),
            counted: BTreeMap::new(),
            warned: Vec::new(),
            informed: Vec::new(),
            copied: 0,
        };
        for id in 0..workers {
            world.join(Feed::new(&source(), None, id * 7 + 3));
        }
        world
    }

    fn join(&mut self, mut feed: Feed) {
        feed.open(&mut self.board);
        let tick = self.now + 1 + self.workers.len() as u64;
        self.workers.push(Worker { feed, tick, lives: true, seen: Vec::new() });
    }

    fn moment(&mut self) -> Moment {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Moment { millis: self.now, random: self.chance >> 20 }
    }

    /// Lets so many milliseconds pass.
    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        loop {
            let ticks = self.workers.iter().filter(|worker| worker.lives).map(|worker| worker.tick);
            let Some(next) = ticks.chain(self.open.iter().map(|open| open.0)).min() else { break };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            let (due, open) = std::mem::take(&mut self.open).into_iter().partition(|open| open.0 <= self.now);
            self.open = open;
            let due: Vec<_> = due;
            for (_, worker, number, service, matches) in due {
                self.answer(worker, number, service, matches);
            }
            for worker in 0..self.workers.len() {
                self.tick(worker);
            }
        }
        self.now = end;
    }

    fn tick(&mut self, worker: usize) {
        if !self.workers[worker].lives || self.workers[worker].tick > self.now {
            return;
        }
        let moment = self.moment();
        self.workers[worker].feed.tick(moment, &mut self.board);
        self.carry_out(worker);
    }

    fn answer(&mut self, worker: usize, number: u32, service: Service, matches: bool) {
        if !self.workers[worker].lives {
            return;
        }
        let moment = self.moment();
        let feed = &mut self.workers[worker].feed;
        let mut head = AnswerHead { status: 200, tag: None, content_coding: None, body_bytes: 0 };
        match service {
            Service::Answers(_) if matches => {
                head.status = 304;
                feed.answered(number, moment, &head, || panic!("a 304 has no body"));
            }
            Service::Answers(text) => {
                let tag = tag(&text);
                head = AnswerHead { tag: Some(&tag), body_bytes: text.len(), ..head };
                self.copied += text.len();
                feed.answered(number, moment, &head, || text.clone().into_bytes());
            }
            Service::Says(status) => {
                head = AnswerHead { status, body_bytes: 5, ..head };
                feed.answered(number, moment, &head, || panic!("of no use"));
            }
            Service::Compresses => {
                head = AnswerHead { content_coding: Some("gzip"), body_bytes: 5, ..head };
                feed.answered(number, moment, &head, || panic!("of no use"));
            }
            Service::SaysLength(body_bytes) => {
                head = AnswerHead { body_bytes, ..head };
                feed.answered(number, moment, &head, || panic!("{body_bytes} bytes are copied"));
            }
            Service::BreaksOff => feed.failed(number, Failure::BrokenOff, moment),
            Service::NotThere => feed.failed(number, Failure::NotAsked, moment),
            Service::Hangs => {}
        }
        self.carry_out(worker);
    }

    fn carry_out(&mut self, worker: usize) {
        let now = self.now;
        let feed = &mut self.workers[worker].feed;
        let value = feed.live(now).map(|live| decided(live));
        let seen = &mut self.workers[worker].seen;
        if seen.last().is_none_or(|last| last.1 != value) {
            seen.push((now, value));
        }
        while let Some(action) = self.workers[worker].feed.poll_action() {
            match action {
                Action::Ask(question) => {
                    self.asked.push((now, worker, question.tag.clone()));
                    let matches = match (&self.service, &question.tag) {
                        (Service::Answers(text), Some(asked)) => *asked == tag(text),
                        _ => false,
                    };
                    self.open.push((now + 30, worker, question.number, self.service.clone(), matches));
                }
                Action::Count(counter) => *self.counted.entry(counter.to_string()).or_default() += 1,
                Action::Warn(line) => self.warned.push((now, line)),
                Action::Inform(line) => self.informed.push(line),
            }
        }
        self.workers[worker].tick =
            now + u64::try_from(self.workers[worker].feed.pace().as_millis()).unwrap();
    }

    /// What each worker serves now.
    fn served(&mut self) -> Vec<Option<i64>> {
        let now = self.now;
        self.workers.iter_mut().map(|worker| worker.feed.live(now).map(|live| decided(live))).collect()
    }

    fn count(&self, name: &str) -> usize {
        self.counted.get(name).copied().unwrap_or_default()
    }
}

fn decided(live: &Live) -> i64 {
    let attributes = json!({});
    let mut evaluation = Evaluation::new(live.payload(), Visitor::new(&attributes, "https://shop.example/"));
    evaluation.feature("a").value.as_i64().unwrap_or(-1)
}

#[test]
fn one_worker_asks_and_all_have_it() {
    let mut world = World::new(4, payload(1));
    assert_eq!(world.served(), [None; 4]);
    world.pass(400);
    assert_eq!(world.served(), [Some(1); 4]);
    world.pass(3_600_000);
    let askers: Vec<usize> = world.asked.iter().map(|(_, worker, _)| *worker).collect();
    assert!(askers.iter().all(|worker| *worker == askers[0]), "{askers:?}");
    // An hour, every minute or a tenth more or less.
    assert!((54..=68).contains(&askers.len()), "{}", askers.len());
    let pauses: Vec<u64> = world.asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(pauses.iter().all(|pause| (54_000..=66_700).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().max() > pauses.iter().min(), "by chance: {pauses:?}");
    // Once it came, and after that was not to be sent.
    assert_eq!((world.count("payload.fetched"), world.count("payload.taken_over")), (1, 4));
    assert_eq!(world.count("payload.not_modified"), askers.len() - 1);
    assert_eq!(world.informed.len(), 1);
    assert_eq!(world.warned, []);
}

#[test]
fn who_has_the_payload_copies_no_more_than_records() {
    let long = json!({ "features": { "a": { "defaultValue": 1 }, "long": { "defaultValue": "x".repeat(100_000) } } });
    let mut world = World::new(4, Service::Answers(long.to_string()));
    world.pass(2_000);
    let before = world.board.2.replace(0);
    assert!(before > 300_000, "three took it over: {before}");
    world.pass(600_000);
    // Twice a second a lease and a record, each of some hundred bytes.
    let looks = 4 * 2 * 600;
    assert!(world.board.2.get() < looks * 250, "{}", world.board.2.get());
}

#[test]
fn all_change_at_once() {
    let mut world = World::new(4, payload(1));
    world.pass(10_000);
    world.service = payload(2);
    world.pass(70_000);
    let since = |worker: &Worker| worker.feed.known.as_ref().map(|issue| issue.since).unwrap();
    let first = since(&world.workers[0]);
    assert!(world.workers.iter().all(|worker| since(worker) == first));
    for worker in &mut world.workers {
        // What is seen at ticks is seen a tick late; a request is decided by the time it has.
        let (at, value) = *worker.seen.last().unwrap();
        assert!(value == Some(2) && (first..first + 600).contains(&at), "{at} {first}");
    }
    world.service = payload(3);
    while world.workers.iter().any(|worker| worker.feed.next.is_none()) {
        world.pass(1);
    }
    let since = world.workers[0].feed.next.as_ref().map(|next| next.0).unwrap();
    assert!(world.now < since, "all are ready before");
    world.now = since - 1;
    assert_eq!(world.served(), [Some(2); 4]);
    world.now = since;
    assert_eq!(world.served(), [Some(3); 4]);
}

#[test]
fn whatever_the_service_does_the_last_good_one_stays() {
    let half = json!({ "features": { "a": { "defaultValue": 9 } } }).to_string();
    let failures = [
        (Service::Says(500), "status", "answered 500"),
        (Service::Says(503), "status", "down or slow"),
        (Service::Says(404), "status", "client key"),
        (Service::Says(304), "status", "304"),
        (Service::BreaksOff, "broken_off", "broke off"),
        (Service::NotThere, "not_asked", "could not ask"),
        (Service::Hangs, "silent", "did not answer"),
        (Service::Compresses, "content_coding", "compressed"),
        (Service::SaysLength(50_000_000), "too_long", "50000000 bytes"),
        (Service::Answers(half.get(..20).unwrap().to_owned()), "no_json", "no JSON"),
        (Service::Answers("[]".to_owned()), "no_payload", "not an object"),
        (Service::Answers(r#"{"encryptedFeatures":"a.b"}"#.to_owned()), "no_key", "no decryption key"),
    ];
    for (service, reason, says) in failures {
        for has_one in [false, true] {
            let mut world = World::new(2, payload(1));
            if has_one {
                world.pass(10_000);
            }
            world.service = service.clone();
            let kept = if has_one { Some(1) } else { None };
            if matches!(service, Service::Says(304)) && has_one {
                continue;
            }
            world.pass(600_000);
            assert_eq!(world.served(), [kept; 2], "{reason}");
            let count = world.count(&format!("payload.failed.{reason}"));
            assert!(count >= 9, "{reason}: {count} {:?}", world.counted);
            let pauses: Vec<u64> = world.warned.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
            assert!(pauses.iter().all(|pause| *pause >= 60_000), "{reason}: {pauses:?}");
            assert!(world.warned[0].1.contains(says), "{reason}: {:?}", world.warned[0]);
            assert_eq!(
                world.warned[0].1.contains("the last good one stays"),
                has_one,
                "{:?}",
                world.warned[0]
            );
            let before = world.asked.len();
            world.service = payload(2);
            world.pass(80_000);
            assert_eq!(world.served(), [Some(2); 2], "{reason}: {} more", world.asked.len() - before);
        }
    }
}

#[test]
fn retries_come_soon_and_ever_more_rarely() {
    let mut world = World::new(1, Service::Says(500));
    world.pass(600_000);
    let pauses: Vec<u64> = world.asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!((500..=1_700).contains(&pauses[0]), "{pauses:?}");
    for (nth, pause) in pauses.iter().enumerate() {
        let longest = (1_000_u64 << nth.min(6)).min(60_000);
        assert!((longest / 2..=longest + 700).contains(pause), "{nth}: {pauses:?}");
    }
}

#[test]
fn another_worker_asks_when_the_one_that_did_is_gone() {
    let mut world = World::new(3, payload(1));
    world.pass(30_000);
    let holder = world.asked[0].1;
    world.workers[holder].lives = false;
    let Service::Answers(first) = std::mem::replace(&mut world.service, payload(2)) else { return };
    world.pass(90_000);
    let (_, other, known) = world.asked[1].clone();
    assert_ne!(other, holder);
    assert_eq!(known, Some(tag(&first)), "it knows the validator");
    let served = world.served();
    assert!((0..3).filter(|worker| *worker != holder).all(|worker| served[worker] == Some(2)), "{served:?}");
}

#[test]
fn two_that_claim_the_lease_at_once_do_not_both_get_it() {
    // Neither found a lease, as where no thread has been before the workers.
    let mut world = World::new(2, payload(1));
    world.board.0.clear();
    world.pass(5_000);
    assert_eq!(world.asked.len(), 1);
    // A worker that was busy for longer than its lease lasts learns that another has it.
    let holder = world.asked[0].1;
    world.workers[holder].tick = world.now + 30_000;
    world.pass(120_000);
    assert!(world.workers.iter().filter(|worker| worker.feed.holder.is_mine()).count() == 1);
    assert!(!world.workers[holder].feed.holder.is_mine());
}

#[test]
fn a_worker_that_comes_later_has_it_at_once() {
    let mut world = World::new(1, payload(1));
    world.pass(10_000);
    world.join(Feed::new(&source(), None, 99));
    world.pass(300);
    assert_eq!(world.served(), [Some(1); 2]);
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_waiting() {
    let mut world = World::new(2, payload(1));
    world.pass(10_000);
    world.now -= 3_600_000;
    for worker in &mut world.workers {
        worker.tick = world.now;
    }
    world.service = payload(2);
    world.pass(10_000);
    assert_eq!(world.served(), [Some(2); 2]);
}

#[test]
fn a_key_of_another_connection_reads_nothing_and_holds_up_nobody() {
    let key = |text: &str| DecryptionKey::parse(text).unwrap();
    let encrypted =
        "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj";
    let service = Service::Answers(json!({ "encryptedFeatures": encrypted }).to_string());
    let mut world = World::new(0, service);
    world.join(Feed::new(&source(), Some(&key("ZW5ncmFmdC10ZXN0LWtleQ==")), 5));
    world.pass(30_000);
    assert!(
        world.count("payload.failed.wrong_key") > 1 && world.warned[0].1.contains("another SDK connection")
    );
    // The operator has found the right one; workers with the old configuration stay for a while.
    world.join(Feed::new(&source(), Some(&key("Zvwv/+uhpFDznZ6SX28Yjg==")), 6));
    world.pass(1_000);
    assert_eq!(world.served(), [None, Some(-1)]);
}

#[test]
fn a_long_payload_is_taken_over_in_many_ticks() {
    let features: serde_json::Map<String, Value> =
        (0..2_000).map(|nth| (format!("f{nth}"), json!({ "defaultValue": "x".repeat(500) }))).collect();
    let mut world = World::new(1, Service::Answers(json!({ "features": features }).to_string()));
    let mut working = 0;
    for _ in 0..1_000 {
        world.pass(1);
        working += usize::from(world.workers[0].feed.work.is_some());
    }
    assert!(working > 100, "{working} ms");
    assert_eq!(world.served(), [Some(-1)]);
}

#[test]
fn nothing_on_the_board_is_trusted() {
    let mut world = World::new(1, Service::Hangs);
    let keys = Keys::of(&source(), None);
    let bytes = br#"{"features":{}}"#;
    let issue = |digest, bytes| Issue { digest, bytes, since: 0, tag: None }.to_string().into_bytes();
    for (record, value) in [
        (b"digest".to_vec(), bytes.to_vec()),
        (issue(7, bytes.len()), bytes.to_vec()),
        (issue(7, usize::MAX), bytes.to_vec()),
        (vec![0xff; 3], Vec::new()),
    ] {
        world.board.write(&keys.issue, &record, None);
        world.board.write(&keys.bytes, &value, None);
        world.board.write(&keys.lease, &record, None);
        world.pass(1_000);
        assert_eq!(world.served(), [None]);
    }
}
