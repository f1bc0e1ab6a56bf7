//! `engraft explain`: how a response comes about, here or where a header tells it from.

pub(crate) mod args;
mod tree;
mod view;

use std::collections::BTreeMap;

use engraft::cache::inputs::Inputs;
use engraft::decisions::force::Forced;
use engraft::engine::Engine;
use engraft::exchange::Overrides;
use engraft::explain::trace::Trace;
use engraft::request::decided::{Decided, flag, variant};
use http::header::CONTENT_ENCODING;

use crate::exchange::args::{Answered, Asked, Rules};
use crate::exchange::rendering::Rendering;
use crate::exchange::rules::InForce;
use crate::exchange::visit::Visit;
use crate::failure::{Failure, Verdict};
use crate::input::Input;
use crate::{input, output, trace};
use args::{Explain, Given};
use view::{Origin, Shown};

pub(crate) fn run(args: &Explain) -> Result<Verdict, Failure> {
    match (&args.from_header, &args.rules, &args.asked) {
        (Some(text), rules, _) => of_header(args, text, rules.as_ref()),
        (None, Some(rules), Some(asked)) => of_exchange(args, rules, asked),
        // The parser has seen to it that there is one or the other.
        (None, _, _) => Ok(Verdict::Problems),
    }
}

fn of_exchange(args: &Explain, rules: &Rules, asked: &Asked) -> Result<Verdict, Failure> {
    let Answered { body, .. } = &args.answered;
    input::check(&[
        ("--config", Some(&rules.config)),
        ("--payload", rules.payload.as_ref()),
        ("--body", body.as_ref()),
    ])?;
    let Some(InForce { engine, live }) = rules.load_for_visitors()? else { return Ok(Verdict::Problems) };
    let overrides = overrides(&engine, &args.force, &args.attributes)?;
    let visit = Visit { live, overrides, ..asked.visit(&engine)? };
    let answer = args.answered.answer()?;
    let is_coded = args.answered.response_headers.iter().any(|header| header.name == CONTENT_ENCODING);
    let rendering = Rendering::of(&engine, visit, &answer);
    let trace = rendering.report.trace.map(|trace| *trace).unwrap_or_default();
    // Offsets are those of the page without its coding.
    let page = (!is_coded).then(|| answer.page());
    show(args, &Shown { trace: &trace, origin: Origin::Run { page }, inputs: inputs(&engine, &trace) })
}

fn of_header(args: &Explain, text: &str, rules: Option<&Rules>) -> Result<Verdict, Failure> {
    let input = (text == "-").then_some(Input::Stdin);
    input::check(&[("--config", rules.map(|rules| &rules.config)), ("--from-header", input.as_ref())])?;
    let name = "--from-header".to_owned();
    let text = match &input {
        Some(input) => String::from_utf8_lossy(&input.read()?).into_owned(),
        None => text.to_owned(),
    };
    let trace = trace::read(&text).map_err(|source| Failure::Trace { name, source })?;
    let Some(rules) = rules else {
        return show(
            args,
            &Shown { trace: &trace, origin: Origin::Header { configuration: None }, inputs: None },
        );
    };
    let Some(InForce { engine, .. }) = rules.load()? else { return Ok(Verdict::Problems) };
    let is_same = format!("{:032x}", engine.digest()) == trace.engine.configuration;
    let configuration = Some((rules.config.name(), is_same));
    let inputs = if is_same { inputs(&engine, &trace) } else { None };
    show(args, &Shown { trace: &trace, origin: Origin::Header { configuration }, inputs })
}

fn show(args: &Explain, shown: &Shown<'_>) -> Result<Verdict, Failure> {
    output::to_stdout(|out, palette| {
        if args.json {
            output::json(out, shown.trace)
        } else {
            shown.tree().write(out, palette, output::width())
        }
    })?;
    Ok(Verdict::Fine)
}

/// What the responses of the trace's route are made from.
fn inputs(engine: &Engine, trace: &Trace) -> Option<Inputs> {
    let (_, route) = engine.route_named(trace.route.as_deref()?)?;
    Some(Inputs::of(route, engine.attributes()))
}

/// What is seen instead of what the request says; none where nothing is given, as that is kept by no cache.
fn overrides(
    engine: &Engine,
    force: &[(String, String)],
    attributes: &[Given],
) -> Result<Option<Overrides>, Failure> {
    if force.is_empty() && attributes.is_empty() {
        return Ok(None);
    }
    let catalogue = engine.attributes();
    let decided = |name: &str| [variant(name), flag(name)].iter().any(|name| catalogue.input(name).is_some());
    if let Some((name, _)) = force.iter().find(|(name, _)| !decided(name)) {
        let known =
            catalogue.names().filter_map(|name| Some(name.split_once('.')?.1).filter(|it| decided(it)));
        let known = known.map(str::to_owned).collect();
        return Err(Failure::Unknown { what: "experiment or flag", name: name.clone(), known });
    }
    // What is decided is chosen with --force.
    let is_read = |name: &&str| matches!(Decided::of(name), None | Some(Decided::Id));
    let known = || catalogue.names().filter(is_read).map(str::to_owned);
    let mut values = BTreeMap::new();
    for Given { name, value } in attributes {
        if !known().any(|known| known == *name) {
            return Err(Failure::Unknown { what: "attribute", name: name.clone(), known: known().collect() });
        }
        let value = catalogue.settle(name, value.clone()).unwrap_or_default();
        values.insert(name.clone(), value);
    }
    Ok(Some(Overrides { attributes: values, choices: Forced::of_pairs(force.iter().cloned()) }))
}
