//! A configuration that can't be used is never run: Envoy refuses to start with it, or goes on with the one it has.

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{EnvoyError, Update};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;
use serde_json::json;

use crate::stage::{Outcome, assert_no_vm_failed, engraft, patches};

/// Three mistakes: all are told at once, with their places.
const BAD: &str = "
version: 1
routes:
  - name: all
    match: { path: { prefx: / } }
    patches:
      - select: 'h1 +'
        text: x
      - select: h1
        texts: x
";

fn assert_tells_the_problems(log: &str) {
    for problem in ["prefx", "routes[0].patches[1]", "texts"] {
        assert!(log.contains(problem), "{problem:?} is not in\n{log}");
    }
}

#[test]
fn envoy_does_not_start_with_a_bad_configuration_and_tells_what_is_wrong() -> Outcome {
    let configurations = [Configuration::Yaml(BAD.to_owned()), Configuration::Text(BAD.to_owned())];
    for configuration in configurations {
        let listener = Listener::main().plugin(&Plugin::engraft(configuration)?).answer(200, "one");
        let refused = Bootstrap::new().listener(listener).start();
        let Err(EnvoyError::Exited { log_tail, .. }) = refused else {
            return Err(format!("it was not refused: {refused:?}").into());
        };
        assert_tells_the_problems(&log_tail);
    }
    Ok(())
}

#[test]
fn envoy_does_not_start_without_a_configuration() -> Outcome {
    let listener = Listener::main().plugin(&Plugin::engraft(Configuration::None)?).answer(200, "one");
    let refused = Bootstrap::new().listener(listener).start();
    assert!(matches!(refused, Err(EnvoyError::Exited { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn update_with_a_bad_configuration_leaves_the_running_one() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html("<h1>old</h1>"));
    let listener = |configuration: &str| {
        Ok::<_, Box<dyn std::error::Error>>(Listener::main().plugin(&engraft(configuration)?))
    };
    let (one, two) = (patches("- select: h1\n  text: one"), patches("- select: h1\n  text: two"));
    let cluster = Cluster::origin(Http1, origin.addr());
    let envoy = Bootstrap::proxy(listener(&one)?, cluster).listeners_can_change().start()?;
    let page = || {
        let received = client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/"))?;
        Ok::<_, Box<dyn std::error::Error>>(received.text().into_owned())
    };
    assert_eq!(page()?, "<h1>one</h1>");
    let Update::Rejected { why } = envoy.update_listener(&listener(BAD)?)? else {
        return Err("a bad configuration was accepted".into());
    };
    assert_tells_the_problems(&why);
    assert_eq!(page()?, "<h1>one</h1>");
    assert_eq!(envoy.update_listener(&listener(&two)?)?, Update::Accepted);
    assert_eq!(page()?, "<h1>two</h1>");
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn configuration_means_the_same_in_each_form_in_which_envoy_hands_it_over() -> Outcome {
    let json = json!({ "version": 1, "routes": [{ "name": "all", "patches": [{ "select": "h1", "text": "007" }] }] });
    let yaml = "version: 1\nroutes:\n  - name: all\n    patches:\n      - select: h1\n        text: '007'\n";
    let origin = Origin::start()?;
    origin.reply("/", Reply::html("<h1>old</h1>"));
    let mut bootstrap = Bootstrap::new().cluster(Cluster::origin(Http1, origin.addr()));
    let forms = [
        ("struct", Configuration::Struct(json.clone())),
        ("yaml", Configuration::Yaml(yaml.to_owned())),
        ("yaml-text", Configuration::Text(yaml.to_owned())),
        ("json-text", Configuration::Text(json.to_string())),
    ];
    for (name, form) in &forms {
        bootstrap =
            bootstrap.listener(Listener::new(name).plugin(&Plugin::engraft(form.clone())?.name(name)));
    }
    let envoy = bootstrap.start()?;
    for (name, _) in &forms {
        let received = client::fetch(Http1, envoy.listener_addr(name)?, &Request::get("/"))?;
        assert_eq!(received.text(), "<h1>007</h1>", "{name}");
    }
    let log = envoy.log();
    let digests: std::collections::BTreeSet<&str> =
        log.lines().filter_map(|line| Some(line.split_once(", digest ")?.1)).collect();
    assert_eq!(digests.len(), 1, "{digests:?}");
    Ok(())
}
