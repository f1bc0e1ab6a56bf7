//! Assignments are spread as the weights say: a sample ratio that is off would make every experiment's result worthless.
//!
//! Pearson's chi-squared test over a million ids, for several weights, with and without namespaces, through the same
//! experiments that decide for visitors. The ids are those of a fixed generator, so the outcome is the same on every
//! machine. The critical values are those of a false-positive rate of 1 in 10,000 for each check: had the ids been drawn
//! anew, 16 checks would fail by chance once in about 600 runs.

use std::error::Error;
use std::io::Write as _;

use engraft::decide::condition::Attributes;
use engraft::decide::evaluation::Evaluation;
use engraft::decide::experiment::Experiment;
use engraft::decide::payload::Payload;
use engraft::decide::visitor::Visitor;
use serde_json::{Value, json};

const IDS: u64 = 1_000_000;

/// Of the chi-squared distribution at 1 - 0.0001, from one degree of freedom on.
const CRITICAL: [f64; 9] = [15.137, 18.421, 21.108, 23.513, 25.745, 27.856, 29.878, 31.828, 33.720];

type Tested = Result<(), Box<dyn Error>>;

/// A visitor with an id and nothing else.
struct Id(Value);

impl Attributes for Id {
    fn attribute(&self, path: &str) -> Option<&Value> {
        (path == "id").then_some(&self.0)
    }
}

impl Id {
    /// A UUID of version 4, as visitors get them. SplitMix64 (Steele, Lea, Flood 2014) gives the bits.
    fn numbered(number: u64) -> Self {
        let bits = |number: u64| {
            let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        let [high, low] = [bits(2 * number), bits(2 * number + 1)];
        let [a, b, c] = [high >> 32, high >> 16 & 0xffff, high & 0xfff];
        let [d, e] = [low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff];
        Self(Value::String(format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")))
    }
}

/// How many ids are in each variation, those outside the experiment last.
fn spread(experiment: &Value, ids: impl Iterator<Item = Id>) -> Result<Vec<u64>, Box<dyn Error>> {
    let payload = Payload::default();
    let experiment = Experiment::compile(experiment, &payload).map_err(|why| why.to_string())?;
    let outside = experiment.variations().len();
    let mut counts = vec![0; outside + 1];
    for id in ids {
        let result = Evaluation::new(&payload, Visitor::new(&id, "")).experiment(&experiment);
        let at = if result.in_experiment { result.variation_id } else { outside };
        *counts.get_mut(at).ok_or("no such variation")? += 1;
    }
    Ok(counts)
}

/// Pearson's statistic for counts that should be in these proportions, which add up to 1.
#[expect(clippy::cast_precision_loss, reason = "a million is exact")]
fn statistic(counts: &[u64], proportions: &[f64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let of = |(count, proportion): (&u64, &f64)| {
        (*count as f64 - total * proportion).powi(2) / (total * proportion)
    };
    counts.iter().zip(proportions).map(of).sum()
}

fn critical(proportions: &[f64]) -> Result<f64, Box<dyn Error>> {
    let freedom = proportions.len() - 1;
    Ok(*CRITICAL.get(freedom - 1).ok_or("no critical value")?)
}

fn check(what: &str, counts: &[u64], proportions: &[f64]) -> Tested {
    let (statistic, critical) = (statistic(counts, proportions), critical(proportions)?);
    // Not `println!`, which the test harness swallows when a test passes.
    writeln!(std::io::stderr(), "{what}: chi-squared {statistic:.2}, at most {critical}: {counts:?}")?;
    assert!(statistic <= critical, "{what}: {counts:?} are not as {proportions:?}");
    Ok(())
}

/// The weights, over all ids and over a part of a namespace, of which the part has to be right, too.
fn weights_are_kept(name: &str, weights: &[f64], version: u8) -> Tested {
    let variations: Vec<_> = (0..weights.len()).collect();
    let experiment =
        json!({ "key": name, "variations": variations, "weights": weights, "hashVersion": version });
    let counts = spread(&experiment, (0..IDS).map(Id::numbered))?;
    let (outside, counts) = counts.split_last().ok_or("no variations")?;
    assert_eq!(*outside, 0);
    check(name, counts, weights)?;

    let mut experiment = experiment;
    experiment.as_object_mut().ok_or("no object")?.insert("namespace".to_owned(), json!(["layer", 0.2, 0.6]));
    let counts = spread(&experiment, (0..IDS).map(Id::numbered))?;
    let (outside, counts) = counts.split_last().ok_or("no variations")?;
    check(&format!("{name}, in a namespace"), counts, weights)?;
    check(&format!("{name}, the namespace"), &[IDS - outside, *outside], &[0.4, 0.6])
}

#[test]
fn halves() -> Tested {
    weights_are_kept("halves", &[0.5, 0.5], 2)
}

#[test]
fn halves_of_the_first_hash() -> Tested {
    weights_are_kept("halves-v1", &[0.5, 0.5], 1)
}

#[test]
fn a_tenth_and_the_rest() -> Tested {
    weights_are_kept("tenth", &[0.1, 0.9], 2)
}

#[test]
fn three_uneven_ones() -> Tested {
    weights_are_kept("three", &[0.2, 0.3, 0.5], 2)
}

#[test]
fn ten_equal_ones() -> Tested {
    weights_are_kept("ten", &[0.1; 10], 2)
}

/// Who is in which variation of one experiment says nothing about another.
#[test]
fn experiments_are_independent() -> Tested {
    let experiment = |key| json!({ "key": key, "variations": [0, 1], "hashVersion": 2 });
    let payload = Payload::default();
    let [one, other] = [experiment("one"), experiment("other")];
    let one = Experiment::compile(&one, &payload).map_err(|why| why.to_string())?;
    let in_first =
        |id: &Id| Evaluation::new(&payload, Visitor::new(id, "")).experiment(&one).variation_id == 0;
    let first = spread(&other, (0..IDS).map(Id::numbered).filter(in_first))?;
    check("one experiment's half in another", first.get(..2).ok_or("no variations")?, &[0.5, 0.5])
}

#[test]
fn a_ratio_that_is_off_by_half_a_percent_would_be_noticed() -> Tested {
    let off = [0.505, 0.495];
    assert!(statistic(&[IDS / 2, IDS / 2], &off) > critical(&off)?);
    Ok(())
}
