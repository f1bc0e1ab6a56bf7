//! What can be chosen to be seen, and choosing it.

use std::collections::BTreeMap;
use std::fmt;

use engraft::decide::condition::Kind;
use engraft::decisions::force::Forced;
use engraft::exchange::Overrides;
use engraft::request::decided::{Decided, ID};
use engraft::request::input::Input;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::serve::reload::Setup;
use crate::serve::state::State;
use crate::serve::views::View;

/// The longest choice.
const MAX_BYTES: usize = 64 * 1024;

/// What the configuration in force, and its payload, know.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Controls {
    experiments: BTreeMap<String, Vec<String>>,
    /// Flags by key, with their values where it is known which there are.
    flags: BTreeMap<String, Option<Vec<String>>>,
    attributes: Vec<Attribute>,
}

/// An attribute that requests are read for; the visitor's `id` is one here.
#[derive(Debug, PartialEq, Serialize)]
struct Attribute {
    name: String,
    /// `text`, `number`, `boolean` or `list`.
    kind: &'static str,
    /// All values that it has, where these are few.
    values: Option<Vec<String>>,
    from: String,
    /// Two visitors who ask for the same URL may differ in it.
    of_visitor: bool,
    /// Its value is a secret, as it is read from one.
    secret: bool,
}

impl Controls {
    pub(super) fn of(setup: &Setup) -> Self {
        let catalogue = setup.engine.attributes();
        let mut controls = Self::default();
        for name in catalogue.names() {
            match Decided::of(name) {
                Some(Decided::Variant(key)) => {
                    let values = catalogue.values(name).unwrap_or_default().to_vec();
                    controls.experiments.insert(key.to_owned(), values);
                }
                Some(Decided::Flag(key)) => {
                    controls.flags.insert(key.to_owned(), catalogue.values(name).map(<[_]>::to_vec));
                }
                Some(Decided::Auto) => {}
                Some(Decided::Id) | None => controls.attributes.extend(attribute(setup, name)),
            }
        }
        let live = setup.payload.as_deref().or_else(|| setup.engine.growthbook()?.live().map(|live| &**live));
        if let Some(live) = live {
            for experiment in live.payload().experiments() {
                let keys =
                    (0..experiment.variations().len()).map(|index| experiment.key_of(index).into_owned());
                controls.experiments.insert(experiment.key().to_owned(), keys.collect());
            }
            for feature in live.payload().features() {
                controls.flags.entry(feature.key().to_owned()).or_default();
            }
        }
        controls
    }

    /// What is chosen, as the core takes it.
    fn accept(&self, chosen: Chosen) -> Result<View, Refused> {
        for (name, value) in &chosen.choices {
            let known = self.experiments.get(name).map(|values| Some(values.as_slice()));
            let known = known.or_else(|| self.flags.get(name).map(Option::as_deref));
            match known {
                None => return Err(Refused::Unknown(name.clone())),
                Some(Some(values)) if !values.is_empty() && !values.contains(value) => {
                    return Err(Refused::Value { name: name.clone(), accepted: values.join(", ") });
                }
                Some(_) => {}
            }
        }
        for (name, value) in &chosen.attributes {
            let attribute = self.attributes.iter().find(|attribute| attribute.name == *name);
            let attribute = attribute.ok_or_else(|| Refused::Unknown(name.clone()))?;
            if !attribute.takes(value) {
                let accepted = attribute.values.as_ref().map_or_else(
                    || match attribute.kind {
                        "boolean" => "true, false".to_owned(),
                        kind => format!("a {kind}"),
                    },
                    |values| values.join(", "),
                );
                return Err(Refused::Value { name: name.clone(), accepted });
            }
        }
        let now = chosen.now.map(|now| crate::time::parse(&now)).transpose().map_err(Refused::Time)?;
        let choices = Forced::of_pairs(chosen.choices);
        Ok(View { overrides: Overrides { attributes: chosen.attributes, choices }, now })
    }
}

impl Attribute {
    /// Conditions are compiled for values of the attribute's kind.
    fn takes(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (_, Value::Null) | ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => true,
            ("list", Value::Array(items)) => items.iter().all(Value::is_string),
            ("text", Value::String(text)) => self.values.as_ref().is_none_or(|values| values.contains(text)),
            _ => false,
        }
    }
}

fn attribute(setup: &Setup, name: &str) -> Option<Attribute> {
    let catalogue = setup.engine.attributes();
    let input = catalogue.input(name)?;
    let secrets = setup.engine.secrets();
    let (values, secret) = match input {
        // Those are part of the URL and the method.
        Input::Host | Input::Path | Input::Query | Input::Method | Input::Scheme => return None,
        Input::Language(tags) => (Some(tags.to_vec()), false),
        Input::Device => (Some(["desktop", "mobile", "tablet"].map(str::to_owned).to_vec()), false),
        Input::Cookie(cookie) => (None, secrets.cookies.iter().any(|secret| secret == cookie)),
        Input::Header(header) => {
            (None, secrets.headers.iter().any(|secret| secret.eq_ignore_ascii_case(header.as_str())))
        }
        _ => (None, false),
    };
    let closed = catalogue.values(name).map(|values| {
        let otherwise = catalogue.fallback(name).filter(|it| !values.iter().any(|value| value == it));
        values.iter().map(String::as_str).chain(otherwise).map(str::to_owned).collect()
    });
    let kind = match catalogue.vocabulary().kind(name) {
        Some(Kind::Number) => "number",
        Some(Kind::Bool) => "boolean",
        Some(Kind::List) => "list",
        _ => "text",
    };
    let from = if name == ID { "the visitor".to_owned() } else { catalogue.source(name).unwrap_or_default() };
    Some(Attribute {
        name: name.to_owned(),
        kind,
        values: closed.or(values),
        from,
        of_visitor: catalogue.depends_on_visitor(name),
        secret,
    })
}

/// What somebody wants to see.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Chosen {
    /// Variations of experiments and values of flags.
    choices: BTreeMap<String, String>,
    /// Values of attributes; null for none.
    attributes: BTreeMap<String, Value>,
    /// RFC 3339, or seconds since 1970.
    now: Option<String>,
}

/// The number of a view.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    view: String,
}

/// Why a choice can't be seen.
#[derive(Debug)]
pub(super) enum Refused {
    /// It did not come whole, or is too long.
    Body,
    Form(serde_json::Error),
    Unknown(String),
    Value {
        name: String,
        accepted: String,
    },
    Time(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => write!(f, "the choice is longer than {MAX_BYTES} bytes; choose less"),
            Self::Form(error) => write!(f, "this is no choice: {error}"),
            Self::Unknown(name) => {
                write!(
                    f,
                    "the configuration in force knows no \"{name}\"; load the panel again to see what it knows"
                )
            }
            Self::Value { name, accepted } => write!(f, "\"{name}\" can't be that; accepted: {accepted}"),
            Self::Time(why) => write!(f, "the time: {why}"),
        }
    }
}

/// Keeps what a request wants to see.
pub(super) async fn choose(state: &State, body: Incoming) -> Result<Kept, Refused> {
    let body = Limited::new(body, MAX_BYTES).collect().await.map_err(|_| Refused::Body)?;
    let chosen: Chosen = serde_json::from_slice(&body.to_bytes()).map_err(Refused::Form)?;
    let setup = state.setup.borrow().clone();
    let mut view = Controls::of(&setup).accept(chosen)?;
    for (name, value) in view.overrides.attributes.iter_mut().filter(|(_, value)| value.is_null()) {
        // What is not there may have a value all the same: that of `otherwise`.
        *value = setup.engine.attributes().settle(name, None).unwrap_or_default();
    }
    Ok(Kept { view: state.views.add(view) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engraft::engine::Engine;
    use serde_json::json;

    use super::*;

    const CONFIG: &str = "
version: 1
visitor: { id: { cookie: uid } }
secrets: { cookies: [session] }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
  age: { header: x-age, trusted: true, type: number }
  device: { user_agent: device }
  bot: { user_agent: bot }
  session: { cookie: session }
experiments:
  hero: { variations: [control, bold] }
features:
  new-nav: { defaultValue: false }
routes: []
";

    fn controls() -> Controls {
        let engine = Arc::new(Engine::load(CONFIG.as_bytes()).map_err(|e| e.to_string()).unwrap().engine);
        Controls::of(&Setup::new((engine, None)))
    }

    #[test]
    fn what_the_configuration_knows_can_be_chosen() {
        let controls = serde_json::to_value(controls()).unwrap();
        assert_eq!(controls["experiments"], json!({ "hero": ["control", "bold"] }));
        assert_eq!(controls["flags"], json!({ "new-nav": null }));
        let attributes = controls["attributes"].as_array().unwrap().iter();
        let shown: Vec<String> = attributes
            .map(|it| {
                format!("{} {} {} {}", it["name"], it["kind"], it["values"], it["secret"]).replace('"', "")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "age number null false",
                "bot boolean null false",
                "country text [US,DE,other] false",
                "device text [desktop,mobile,tablet] false",
                "id text null false",
                "session text null true",
            ]
        );
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_what_is_accepted() {
        let chosen = |value: Value| {
            let chosen: Chosen = serde_json::from_value(value).unwrap();
            controls().accept(chosen).map_err(|refused| refused.to_string())
        };
        let view = chosen(json!({
            "choices": { "hero": "bold", "new-nav": "true" },
            "attributes": { "country": "US", "age": 7, "bot": false, "session": null, "id": "u-1" },
            "now": "2026-01-31T12:00:00Z",
        }))
        .unwrap();
        assert_eq!((view.overrides.choices.of("hero"), view.now.is_some()), (Some("bold"), true));
        assert_eq!(view.overrides.attributes["age"], json!(7));
        for (value, why) in [
            (json!({ "choices": { "hero": "loud" } }), "accepted: control, bold"),
            (json!({ "choices": { "nothing": "a" } }), "knows no \"nothing\""),
            (json!({ "attributes": { "country": "FR" } }), "accepted: US, DE, other"),
            (json!({ "attributes": { "age": "7" } }), "accepted: a number"),
            (json!({ "attributes": { "bot": "yes" } }), "accepted: true, false"),
            (json!({ "attributes": { "request.path": "/" } }), "knows no \"request.path\""),
            (json!({ "now": "soon" }), "the time: write a time"),
        ] {
            let refused = chosen(value.clone()).unwrap_err();
            assert!(refused.contains(why), "{value}: {refused}");
        }
    }
}
