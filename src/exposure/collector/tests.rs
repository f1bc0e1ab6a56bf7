//! Stories of a collector, by a clock of their own.

use super::*;
use crate::exposure::fixture::event;
use serde_json::Value;

fn settings() -> Settings {
    Settings {
        cluster: "collector".into(),
        authority: "collector.example".into(),
        path: "/v1/events".into(),
        timeout: 5000,
        max_queue_events: 10,
        max_queue_bytes: 64 * 1024,
        batch_events: 3,
        batch_bytes: 16 * 1024,
        batch_age: 2000,
    }
}

fn collector() -> Collector {
    Collector::new(settings())
}

/// Takes events, named by number.
fn take(collector: &mut Collector, numbers: std::ops::Range<u32>, now: u64) {
    for number in numbers {
        collector.handle_event(&event(&format!("e{number}"), "u"), now);
    }
}

/// The experiments in a batch.
fn experiments(batch: &Batch) -> Vec<String> {
    let body: Value = serde_json::from_slice(&batch.body).unwrap();
    let events = body["events"].as_array().unwrap();
    events.iter().map(|event| event["experiment_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_enough_for_a_batch_goes_at_once_and_the_rest_when_it_is_old() {
    let mut collector = collector();
    take(&mut collector, 0..4, 1000);
    let first = collector.handle_tick(1000).unwrap();
    assert_eq!(experiments(&first), ["e0", "e1", "e2"]);
    assert_eq!(
        (&*first.path, &*first.authority, &*first.cluster),
        ("/v1/events", "collector.example", "collector")
    );
    assert_eq!(first.headers[0].1, "application/json");
    collector.handle_answer(first.ticket, Answer::Status(202), 1100);
    assert!(collector.handle_tick(2999).is_none());
    let second = collector.handle_tick(3000).unwrap();
    assert_eq!(experiments(&second), ["e3"]);
    collector.handle_answer(second.ticket, Answer::Status(200), 3100);
    assert!(collector.handle_tick(60_000).is_none());
    assert_eq!(collector.take_counts(), Counts { queued: 4, sent: 4, ..Counts::default() });
    assert_eq!((collector.take_counts(), collector.depth()), (Counts::default(), 0));
}

#[test]
fn only_one_request_is_under_way() {
    let mut collector = collector();
    take(&mut collector, 0..9, 0);
    let first = collector.handle_tick(0).unwrap();
    assert!(collector.handle_tick(1).is_none());
    assert!(collector.handle_tick(9999).is_none());
    collector.handle_answer(first.ticket, Answer::Status(204), 9999);
    assert_eq!(experiments(&collector.handle_tick(9999).unwrap()), ["e3", "e4", "e5"]);
}

#[test]
fn the_same_batch_comes_again_with_longer_and_longer_pauses() {
    let mut collector = collector();
    take(&mut collector, 0..3, 0);
    let mut now = 0;
    let first = collector.handle_tick(now).unwrap();
    let mut batch = first.clone();
    let mut pauses = Vec::new();
    for answer in [Answer::Status(503), Answer::Nothing, Answer::Status(429), Answer::Status(408)] {
        collector.handle_answer(batch.ticket, answer, now);
        let since = now;
        batch = loop {
            now += 100;
            if let Some(batch) = collector.handle_tick(now) {
                break batch;
            }
        };
        pauses.push(now - since);
        assert_eq!(batch.body, first.body);
    }
    assert_eq!(pauses, [1000, 2000, 4000, 8000]);
    collector.handle_answer(batch.ticket, Answer::Status(200), now);
    assert_eq!(collector.take_counts(), Counts { queued: 3, sent: 3, retries: 4, ..Counts::default() });
}

#[test]
fn a_batch_that_nobody_takes_is_given_up_and_the_next_one_goes() {
    let mut collector = collector();
    take(&mut collector, 0..4, 0);
    let mut now = 0;
    let mut attempts = 0;
    let next = loop {
        if let Some(batch) = collector.handle_tick(now) {
            if experiments(&batch) == ["e3"] {
                break batch;
            }
            attempts += 1;
            collector.handle_answer(batch.ticket, Answer::Status(500), now);
        }
        now += 500;
    };
    assert_eq!(attempts, MAX_ATTEMPTS);
    assert!(now <= 7 * MAX_PAUSE, "it took {now} ms");
    // What a service will never take is not sent again.
    collector.handle_answer(next.ticket, Answer::Status(400), now);
    assert!(collector.handle_tick(now + MAX_PAUSE).is_none());
    let counts = collector.take_counts();
    assert_eq!((counts.queued, counts.failed, counts.sent), (4, 4, 0));
}

#[test]
fn a_full_queue_drops_what_is_new_and_counts_it() {
    let mut collector = collector();
    take(&mut collector, 0..15, 0);
    assert_eq!(collector.take_counts(), Counts { queued: 10, dropped: 5, ..Counts::default() });
    assert_eq!(collector.depth(), 10);
    assert_eq!(experiments(&collector.handle_tick(0).unwrap()), ["e0", "e1", "e2"]);
    // There is room again.
    take(&mut collector, 20..30, 1);
    assert_eq!(collector.take_counts(), Counts { queued: 3, dropped: 7, ..Counts::default() });
}

#[test]
fn the_queue_and_its_batches_are_bounded_in_bytes() {
    let one = event("e0", &"x".repeat(900)).for_server(0).len();
    let mut collector = Collector::new(Settings {
        max_queue_events: 1000,
        max_queue_bytes: one * 10,
        batch_events: 1000,
        batch_bytes: one * 3,
        ..settings()
    });
    for _ in 0..15 {
        collector.handle_event(&event("e0", &"x".repeat(900)), 0);
    }
    assert_eq!(collector.take_counts(), Counts { queued: 10, dropped: 5, ..Counts::default() });
    let batch = collector.handle_tick(0).unwrap();
    assert!(batch.body.len() <= one * 3 && experiments(&batch).len() == 2, "{}", batch.body.len());
    // One event goes, however long it is.
    let mut collector = Collector::new(Settings { batch_bytes: 10, ..settings() });
    take(&mut collector, 0..2, 0);
    assert_eq!(experiments(&collector.handle_tick(0).unwrap()), ["e0"]);
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for_and_counts_for_nothing_later() {
    let mut collector = collector();
    take(&mut collector, 0..3, 0);
    let first = collector.handle_tick(0).unwrap();
    assert!(collector.handle_tick(9999).is_none());
    assert!(collector.handle_tick(10_000).is_none(), "it is to be tried again, after a pause");
    let second = collector.handle_tick(11_000).unwrap();
    assert_ne!(first.ticket, second.ticket);
    collector.handle_answer(first.ticket, Answer::Status(200), 11_001);
    assert_eq!((collector.depth(), collector.take_counts().sent), (3, 0));
    collector.handle_answer(second.ticket, Answer::Status(200), 11_002);
    collector.handle_answer(second.ticket, Answer::Status(200), 11_003);
    assert_eq!((collector.depth(), collector.take_counts().sent), (0, 3));
}

#[test]
fn a_clock_that_is_put_back_keeps_nothing_waiting() {
    let mut collector = collector();
    take(&mut collector, 0..1, 1_000_000);
    let batch = collector.handle_tick(10).unwrap();
    collector.handle_answer(batch.ticket, Answer::Nothing, 10);
    assert!(collector.handle_tick(20).is_none());
    assert!(collector.handle_tick(5).is_some());
}

proptest::proptest! {
    #[test]
    fn every_event_comes_to_something(
        steps in proptest::collection::vec((0_u8..6, 0_u64..5000), 1..200),
    ) {
        let mut collector = collector();
        let (mut now, mut taken, mut open) = (0, 0_u64, None);
        for (what, later) in steps {
            now += later;
            match what {
                0 | 1 => {
                    take(&mut collector, 0..2, now);
                    taken += 2;
                }
                2 => open = collector.handle_tick(now).map(|batch| batch.ticket).or(open),
                3 => if let Some(ticket) = open { collector.handle_answer(ticket, Answer::Status(200), now) },
                4 => if let Some(ticket) = open { collector.handle_answer(ticket, Answer::Status(503), now) },
                _ => if let Some(ticket) = open { collector.handle_answer(ticket, Answer::Status(404), now) },
            }
            let counts = collector.counts;
            proptest::prop_assert_eq!(counts.queued + counts.dropped, taken);
            proptest::prop_assert_eq!(counts.queued, counts.sent + counts.failed + collector.depth());
            proptest::prop_assert!(collector.depth() <= 10 + 3);
        }
    }
}
