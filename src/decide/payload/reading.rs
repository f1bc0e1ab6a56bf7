//! A payload that is read in pieces, so that nobody waits for the whole of it.
//!
//! ```text
//! bytes ─► outline ─► decrypt, a piece at a time ─► members ─► groups, features, experiments, a slice at a time ─► payload
//! ```
//!
//! A [step](Reading::step) ends after [`SLICE_BYTES`] of JSON, or of what is decrypted. Two things are done at once: looking for
//! where members begin and end, which is a small part of reading them, and a single feature, experiment or group however
//! long it is.

use std::collections::{BTreeMap, VecDeque};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::builder::Builder;
use super::{ENCRYPTED, MAX_PAYLOAD_BYTES, Payload, PayloadError};
use crate::decide::condition::coercion::truthy;
use crate::decide::decrypt::{DecryptError, Decryption, DecryptionKey};

/// After so much JSON a step has done enough.
const SLICE_BYTES: usize = 32 * 1024;

/// After so much of what is encrypted.
const DECRYPTED_BYTES: usize = 64 * 1024;

type Raw = Box<RawValue>;
type Members = BTreeMap<String, Raw>;

/// A payload that is being read. Call [`step`](Self::step) until it is [`Step::Done`].
#[derive(Debug)]
pub struct Reading {
    key: Option<DecryptionKey>,
    stage: Stage,
}

/// What came of a step.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is more to do, or there is not")]
pub enum Step {
    /// There is more to do.
    Working(Reading),
    /// The payload.
    Done(Payload),
}

#[derive(Debug)]
enum Stage {
    /// Nothing is read.
    Bytes(Vec<u8>),
    /// What may be encrypted is decrypted, the first of `waiting` first.
    Outline { members: Members, waiting: VecDeque<(&'static str, &'static str)> },
    /// The member `.0`, that will be called `.1`, is being decrypted.
    Decrypting {
        members: Members,
        waiting: VecDeque<(&'static str, &'static str)>,
        names: (&'static str, &'static str),
        decryption: Box<Decryption>,
    },
    /// All is plain.
    Plain(Members),
    /// The parts are compiled, one after the other.
    Parts { builder: Builder, parts: VecDeque<Part> },
}

/// What is compiled by itself.
#[derive(Debug)]
enum Part {
    Group(String, Raw),
    Feature(String, Raw),
    Experiment(usize, Raw),
}

impl Reading {
    /// Begins.
    #[must_use]
    pub const fn new(bytes: Vec<u8>, key: Option<DecryptionKey>) -> Self {
        Self { key, stage: Stage::Bytes(bytes) }
    }

    /// Reads it to its end.
    ///
    /// # Errors
    /// If it is too long, no JSON, no payload, or encrypted with no key or another one.
    pub fn finish(mut self) -> Result<Payload, PayloadError> {
        loop {
            match self.step()? {
                Step::Working(reading) => self = reading,
                Step::Done(payload) => return Ok(payload),
            }
        }
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn step(self) -> Result<Step, PayloadError> {
        let Self { key, stage } = self;
        let stage = match stage {
            Stage::Bytes(bytes) => outline(&bytes)?,
            Stage::Outline { members, waiting } => begin(members, waiting, key.as_ref())?,
            Stage::Decrypting { members, waiting, names, mut decryption } => {
                if decryption.advance(DECRYPTED_BYTES) {
                    decrypted(members, waiting, names, *decryption)?
                } else {
                    Stage::Decrypting { members, waiting, names, decryption }
                }
            }
            Stage::Plain(members) => parts(members)?,
            Stage::Parts { builder, parts } if parts.is_empty() => return Ok(Step::Done(builder.finish())),
            Stage::Parts { mut builder, mut parts } => {
                slice(&mut builder, &mut parts)?;
                Stage::Parts { builder, parts }
            }
        };
        Ok(Step::Working(Self { key, stage }))
    }
}

fn outline(bytes: &[u8]) -> Result<Stage, PayloadError> {
    if bytes.len() > MAX_PAYLOAD_BYTES {
        return Err(PayloadError::TooLong { bytes: bytes.len() });
    }
    let members = serde_json::from_slice(bytes).map_err(|error| {
        let is_other = error.is_data();
        if is_other { unexpected("", "an object") } else { PayloadError::json(&error) }
    })?;
    Ok(Stage::Outline { members, waiting: ENCRYPTED.into() })
}

fn begin(
    mut members: Members,
    mut waiting: VecDeque<(&'static str, &'static str)>,
    key: Option<&DecryptionKey>,
) -> Result<Stage, PayloadError> {
    let Some(names) = waiting.pop_front() else { return Ok(Stage::Plain(members)) };
    let text = members.remove(names.0).filter(|raw| raw.get().starts_with('"'));
    let text: Option<String> = text.map(|raw| value(&raw, || format!("/{}", names.0))).transpose()?;
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Stage::Outline { members, waiting });
    };
    let key = key.ok_or(PayloadError::NoKey { member: names.0 })?;
    let decryption = key.begin(&text).map_err(|why| PayloadError::Encrypted { member: names.0, why })?;
    Ok(Stage::Decrypting { members, waiting, names, decryption: Box::new(decryption) })
}

fn decrypted(
    mut members: Members,
    waiting: VecDeque<(&'static str, &'static str)>,
    (encrypted, plain): (&'static str, &'static str),
    decryption: Decryption,
) -> Result<Stage, PayloadError> {
    let failed = |why| PayloadError::Encrypted { member: encrypted, why };
    let json = decryption.finish().map_err(failed)?;
    // What a wrong key makes of it is no JSON, so blame the key.
    let raw = RawValue::from_string(json).map_err(|_| failed(DecryptError::WrongKey))?;
    members.insert(plain.to_owned(), raw);
    Ok(Stage::Outline { members, waiting })
}

fn parts(mut members: Members) -> Result<Stage, PayloadError> {
    let features: Members = member(&mut members, "features", "an object")?.unwrap_or_default();
    let experiments: Vec<Raw> = member(&mut members, "experiments", "a list")?.unwrap_or_default();
    let groups: Members = member(&mut members, "savedGroups", "an object")?.unwrap_or_default();
    let bandits = member(&mut members, "contextualBandits", "an object")?;
    // A feature that is null is none; anything else that isn't an object has neither rules nor a value.
    let mut listed = Vec::with_capacity(features.len());
    for (key, raw) in features {
        if is_truthy(&raw, || pointer("features", &key))? {
            listed.push((key, raw));
        }
    }
    let builder = Builder::new(listed.iter().map(|(key, _)| key.as_str()), bandits);
    let groups = groups.into_iter().map(|(id, raw)| Part::Group(id, raw));
    let features = listed.into_iter().map(|(key, raw)| Part::Feature(key, raw));
    let experiments = experiments.into_iter().enumerate().map(|(index, raw)| Part::Experiment(index, raw));
    Ok(Stage::Parts { builder, parts: groups.chain(features).chain(experiments).collect() })
}

fn slice(builder: &mut Builder, parts: &mut VecDeque<Part>) -> Result<(), PayloadError> {
    let mut done = 0_usize;
    while done < SLICE_BYTES
        && let Some(part) = parts.pop_front()
    {
        let raw = match &part {
            Part::Group(_, raw) | Part::Feature(_, raw) | Part::Experiment(_, raw) => raw,
        };
        done = done.saturating_add(raw.get().len());
        match &part {
            Part::Group(id, raw) => builder.group(id, &value(raw, || pointer("savedGroups", id))?),
            Part::Feature(key, raw) => builder.feature(key, &value(raw, || pointer("features", key))?),
            Part::Experiment(index, raw) => {
                builder.experiment(&value(raw, || pointer("experiments", &index.to_string()))?);
            }
        }
    }
    Ok(())
}

/// A member, if JavaScript takes it for one.
fn member<T: DeserializeOwned>(
    members: &mut Members,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, PayloadError> {
    let Some(raw) = members.remove(name) else { return Ok(None) };
    let at = || format!("/{name}");
    if !is_truthy(&raw, at)? {
        return Ok(None);
    }
    let opening = if expected == "a list" { '[' } else { '{' };
    if !raw.get().starts_with(opening) {
        return Err(unexpected(name, expected));
    }
    value(&raw, at).map(Some)
}

/// Without reading what is long.
fn is_truthy(raw: &RawValue, at: impl FnOnce() -> String) -> Result<bool, PayloadError> {
    if raw.get().starts_with(['{', '[']) {
        return Ok(true);
    }
    value::<Value>(raw, at).map(|value| truthy(&value))
}

/// What a look at where members end has not found wrong.
fn value<T: DeserializeOwned>(raw: &RawValue, at: impl FnOnce() -> String) -> Result<T, PayloadError> {
    serde_json::from_str(raw.get()).map_err(|error| PayloadError::member(at(), &error))
}

fn pointer(of: &str, key: &str) -> String {
    format!("/{of}/{}", key.replace('~', "~0").replace('/', "~1"))
}

const fn unexpected(member: &'static str, expected: &'static str) -> PayloadError {
    PayloadError::Unexpected { member, expected }
}
