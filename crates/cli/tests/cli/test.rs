//! `engraft test`, with the scenarios of `tests/data/test`, and the shop's.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, Tested, data, engraft, workspace};

fn test(args: &[&str]) -> Result<Run, Box<dyn Error>> {
    engraft(&data("test"), ["test"].iter().chain(args))
}

/// A folder with the configuration, the page, and one file of scenarios.
fn folder(scenarios: &str) -> Result<TempDir, Box<dyn Error>> {
    let folder = TempDir::new()?;
    for name in ["engraft.yaml", "page.html"] {
        fs::copy(data("test").join(name), folder.path().join(name))?;
    }
    fs::write(folder.path().join("some.test.yaml"), scenarios)?;
    Ok(folder)
}

/// What a scenario of one line is told.
fn told(scenario: &str) -> Result<Run, Box<dyn Error>> {
    let given = "given: { url: https://shop.example/home/, page: page.html }";
    let folder = folder(&format!("{given}\nscenarios:\n- {{ name: it holds, {scenario} }}\n"))?;
    engraft(folder.path(), ["test"])
}

#[test]
fn the_shop_does_what_its_scenarios_say() -> Tested {
    let run = engraft(&workspace(), ["test", "examples/shop", "--coverage"])?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.text()?);
    let lines: Vec<&str> = run.text()?.lines().collect();
    let notes: Vec<_> = lines.iter().filter(|line| line.starts_with("note:")).collect();
    assert!(notes.is_empty(), "every route and every patch has a scenario: {notes:?}");
    assert_eq!(lines.last(), Some(&"21 scenarios pass, in 3 files"));
    Ok(())
}

#[test]
fn everything_that_can_be_said_can_hold() -> Tested {
    let run = test(&["passing.test.yaml"])?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.text()?);
    Ok(())
}

#[test]
fn what_does_not_hold_is_told_with_its_place_and_what_was_found() -> Tested {
    for case in ["failing", "malformed"] {
        let run = test(&[&format!("{case}.test.yaml")])?;
        assert_eq!(run.text()?, fs::read_to_string(data("test").join(format!("{case}.txt")))?, "{case}");
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{case}");
    }
    Ok(())
}

#[test]
fn folders_are_searched_and_hidden_ones_are_not() -> Tested {
    let folder = folder("scenarios: [{ name: one, given: { url: /home/ }, expect: { route: home } }]")?;
    for place in ["deep/er", ".hidden", "node_modules/x"] {
        fs::create_dir_all(folder.path().join(place))?;
        let scenarios = "config: ../../engraft.yaml\nscenarios: [{ name: two, given: { url: /old/ }, expect: { redirect: /new/ } }]";
        fs::write(folder.path().join(place).join("other.test.yaml"), scenarios)?;
    }
    let run = engraft(folder.path(), ["test"])?;
    assert_eq!(
        run.text()?,
        "deep/er/other.test.yaml\n  ✓ two\nsome.test.yaml\n  ✓ one\n2 scenarios pass, in 2 files\n"
    );
    Ok(())
}

#[test]
fn a_filter_leaves_the_others_out() -> Tested {
    let run = test(&["passing.test.yaml", "--filter", "redirect answers"])?;
    let only =
        "passing.test.yaml\n  ✓ a redirect answers in place of the origin\n1 scenario passes, in 1 file\n";
    assert_eq!((run.text()?, run.code), (only, Some(0)));
    let run = test(&["passing.test.yaml", "--filter", "nothing like it"])?;
    assert_eq!((run.code, run.text()?), (Some(2), ""));
    assert!(run.stderr.contains("no scenario has \"nothing like it\" in its name"), "{run:?}");
    Ok(())
}

#[test]
fn wrong_usage_exits_with_2() -> Tested {
    let empty = TempDir::new()?;
    let empty = empty.path().to_str().ok_or("a path that is no text")?;
    for args in [
        &[empty][..],
        &["missing.test.yaml"],
        &["passing.test.yaml", "--format", "xml"],
        &["passing.test.yaml", "--watch", "--format", "tap"],
    ] {
        let run = test(args)?;
        assert_eq!((run.code, run.text()?), (Some(2), ""), "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
    Ok(())
}

#[test]
fn tap_has_a_point_for_each_scenario_and_says_why_one_fails() -> Tested {
    let run = test(&["failing.test.yaml", "malformed.test.yaml", "passing.test.yaml", "--format", "tap"])?;
    let lines: Vec<&str> = run.text()?.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..17"]);
    let points = lines.iter().filter(|line| line.starts_with("ok ") || line.starts_with("not ok "));
    let points: Vec<_> = points.collect();
    assert_eq!(points.len(), 17);
    for (number, point) in (1..).zip(&points) {
        assert!(point.contains(&format!("ok {number} - ")), "{point}");
    }
    assert_eq!(points.iter().filter(|point| point.starts_with("not ok ")).count(), 9);
    // What belongs to a point is indented, and is a block of YAML.
    let rest = lines[2..].iter().filter(|line| !line.starts_with("ok ") && !line.starts_with("not ok "));
    assert!(rest.clone().all(|line| line.starts_with("  ")), "{lines:?}");
    for block in run.text()?.split("  ---\n").skip(1) {
        let block = block.split("  ...\n").next().unwrap_or_default();
        let yaml: Value = engraft::config::source::read(block.as_bytes())?.decode()?;
        assert!(yaml["message"].is_string() && yaml["at"].is_string(), "{block}");
    }
    let count = |mark: &str| lines.iter().filter(|line| **line == mark).count();
    assert_eq!((count("  ---"), count("  ...")), (9, 9));
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn junit_is_xml_that_counts_right_whatever_stands_in_pages() -> Tested {
    let folder = folder(
        "scenarios:\n- name: \"<a> & \\\"b\\\" ]]>\\u0001\"\n  given: { url: /home/, html: \"<h1>\\u0001]]>&</h1>\" }\n  \
         expect: { select: { h1: x }, body: { equals: \"\\uFFFE\\u001b\" } }\n",
    )?;
    let hostile = engraft(folder.path(), ["test", "--format", "junit"])?;
    let files =
        test(&["failing.test.yaml", "malformed.test.yaml", "passing.test.yaml", "--format", "junit"])?;
    for (run, counts) in [(&hostile, ("1", "1")), (&files, ("17", "9"))] {
        let xml = roxmltree::Document::parse(run.text()?)?;
        let root = xml.root_element();
        assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some(counts.0), Some(counts.1)));
        let of = |name: &str| xml.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
        assert_eq!((of("testcase").as_str(), of("failure").as_str()), counts);
        assert!(xml.descendants().filter(|node| node.has_tag_name("testsuite")).all(|suite| {
            let cases = suite.children().filter(|node| node.has_tag_name("testcase")).count().to_string();
            suite.attribute("tests") == Some(&cases)
        }));
    }
    let xml = roxmltree::Document::parse(hostile.text()?)?;
    let case = xml.descendants().find(|node| node.has_tag_name("testcase")).ok_or("no case")?;
    assert_eq!(case.attribute("name"), Some("<a> & \"b\" ]]>\u{fffd}"));
    assert_eq!(case.attribute("line"), Some("2"));
    let failure = case.first_element_child().and_then(|failure| failure.text()).unwrap_or_default();
    assert!(failure.contains("- x\n+ \\u{1}]]>&"), "{failure}");
    Ok(())
}

#[test]
fn json_has_what_was_expected_and_found() -> Tested {
    let json = test(&["failing.test.yaml", "malformed.test.yaml", "--format", "json"])?.json()?;
    assert_eq!((&json["passed"], &json["failed"]), (&0.into(), &9.into()));
    let first = &json["files"][0]["scenarios"][0];
    let failures = first["failures"].as_array().ok_or("no failures")?;
    let status = failures.iter().find(|failure| failure["path"] == "scenarios[0].expect.status");
    let status = status.ok_or("no failure of the status")?;
    assert_eq!((&status["expected"], &status["found"]), (&"404".into(), &"200".into()));
    assert_eq!(status["at"]["line"], 7);
    assert_eq!(json["files"][1]["scenarios"], Value::Array(Vec::new()));
    assert_eq!(json["files"][1]["errors"][0]["at"]["line"], 1);
    Ok(())
}

#[test]
fn a_snapshot_is_written_when_asked_and_held_against_then() -> Tested {
    let scenarios = |word: &str| {
        format!(
            "given: {{ url: /home/, html: \"<h1>{word}</h1>\\n\" }}\nscenarios:\n\
             - {{ name: A page!, expect: {{ body: {{ snapshot: true }} }} }}\n\
             - {{ name: JSON, given: {{ json: {{ a: 1 }} }}, expect: {{ body: {{ snapshot: data }} }} }}\n"
        )
    };
    let folder = folder(&scenarios("One"))?;
    let snapshot = folder.path().join("__snapshots__/some/a-page.html");
    let run = |args: &[&str]| engraft(folder.path(), ["test"].iter().chain(args));

    let missing = run(&[])?;
    assert_eq!(missing.code, Some(1));
    assert!(missing.text()?.contains("a-page.html is not there; write it with --update"), "{missing:?}");
    assert!(!snapshot.exists(), "a run that is not asked to writes nothing");

    let written = run(&["--update"])?;
    assert_eq!(written.code, Some(0));
    assert!(written.text()?.contains("wrote __snapshots__/some/a-page.html"), "{written:?}");
    assert_eq!(fs::read_to_string(&snapshot)?, "<h1>One</h1>\n");
    assert_eq!(fs::read_to_string(folder.path().join("__snapshots__/some/data.json"))?, r#"{"a":1}"#);
    let same = run(&["--update"])?;
    assert!(!same.text()?.contains("wrote"), "{same:?}");
    assert_eq!(run(&[])?.code, Some(0));

    fs::write(folder.path().join("some.test.yaml"), scenarios("Two"))?;
    fs::write(folder.path().join("__snapshots__/some/old.html"), "")?;
    let differs = run(&[])?;
    assert_eq!(differs.code, Some(1));
    assert!(differs.text()?.contains("- <h1>One</h1>\n        + <h1>Two</h1>\n"), "{differs:?}");
    assert!(differs.text()?.contains("old.html: no scenario has this snapshot"), "{differs:?}");
    Ok(())
}

#[test]
fn two_scenarios_do_not_share_a_snapshot() -> Tested {
    let scenarios = "given: { url: /home/ }\nscenarios:\n- { name: A page, expect: { body: { snapshot: true } } }\n\
                     - { name: a page!, expect: { body: { snapshot: true } } }\n";
    let folder = folder(scenarios)?;
    let run = engraft(folder.path(), ["test", "--update"])?;
    assert!(run.text()?.contains("\"A page\" has the snapshot a-page already"), "{run:?}");
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn two_files_do_not_share_a_folder_of_snapshots() -> Tested {
    let scenarios = |word: &str| {
        format!(
            "scenarios: [{{ name: \"?!\", given: {{ url: /home/, html: <p>{word} }}, expect: {{ body: {{ snapshot: true }} }} }}]"
        )
    };
    let folder = folder(&scenarios("some"))?;
    for name in ["shop.cart.test.yaml", "shop.home.test.yml", "shop.yaml"] {
        fs::write(folder.path().join(name), scenarios(name))?;
    }
    let files = ["shop.cart.test.yaml", "shop.home.test.yml", "shop.yaml", "some.test.yaml"];
    let written = engraft(folder.path(), ["test", "--update"].iter().chain(&files))?;
    assert_eq!(written.code, Some(0), "{written:?}");
    for name in ["shop.cart", "shop.home", "shop", "some"] {
        let path = format!("__snapshots__/{name}/scenario.html");
        assert!(folder.path().join(&path).exists(), "{path}");
    }
    let run = engraft(folder.path(), ["test"].iter().chain(&files))?;
    assert_eq!((run.code, run.text()?.contains("note:")), (Some(0), false), "{run:?}");
    Ok(())
}

#[test]
fn coverage_names_what_no_scenario_touches() -> Tested {
    let folder = folder(
        "scenarios: [{ name: it, given: { url: /home/, variants: { hero: bold }, html: <p>x }, expect: { route: home } }]",
    )?;
    let run = engraft(folder.path(), ["test", "--coverage"])?;
    let notes: Vec<&str> = run.text()?.lines().filter(|line| line.starts_with("note:")).collect();
    assert_eq!(
        notes,
        [
            "note: engraft.yaml: route old: no scenario reaches it",
            "note: engraft.yaml: route origin: no scenario reaches it",
            "note: engraft.yaml: route interface: no scenario reaches it",
            "note: engraft.yaml: route home, patch greeting: no scenario applies it",
            "note: engraft.yaml: route home, patch nav: no scenario applies it",
            "note: engraft.yaml: route home, patch picture: no scenario applies it",
            "note: engraft.yaml: route home, patch team: no scenario applies it",
            "note: engraft.yaml: experiment hero: no scenario sees control",
        ]
    );
    assert_eq!(run.code, Some(0), "it is a note, not a failure");
    Ok(())
}

#[test]
fn a_configuration_that_can_not_be_used_is_told_with_its_own_places() -> Tested {
    let folder = folder("scenarios: [{ name: it, given: { url: / }, expect: { status: 200 } }]")?;
    fs::write(folder.path().join("engraft.yaml"), "version: 1\nrotes: []\n")?;
    let run = engraft(folder.path(), ["test"])?;
    assert!(run.text()?.contains("the configuration engraft.yaml can't be used"), "{run:?}");
    assert!(run.text()?.contains("engraft.yaml:2:1: rotes: unknown field"), "{run:?}");
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn a_configuration_for_one_stage_is_run_as_both() -> Tested {
    let folder = folder(
        "given: { url: /home/, page: page.html, cookies: { first_name: Ada } }\n\
         scenarios: [{ name: it, expect: { select: { h1: \"Hello, Ada\" }, cacheable: { shared: no, store: 1h } } }]",
    )?;
    let configuration = fs::read_to_string(folder.path().join("engraft.yaml"))?;
    for stage in ["client", "origin"] {
        fs::write(folder.path().join("engraft.yaml"), format!("stage: {stage}\n{configuration}"))?;
        let run = engraft(folder.path(), ["test"])?;
        assert_eq!(run.code, Some(0), "{stage}: {run:?}");
    }
    Ok(())
}

#[test]
fn attributes_that_are_given_are_what_would_be_read() -> Tested {
    let folder = folder(
        "scenarios: [{ name: it, given: { url: /, html: <h1>a</h1>, attributes: { country: FR, age: \"7\", plan: null } }, \
         expect: { attributes: { country: other, age: 7, plan: free }, patches: { \"0\": applied } } }]",
    )?;
    let configuration = "version: 1\nattributes:\n  country: { header: x-c, trusted: true, values: [US], otherwise: other }\n  \
                         age: { header: x-a, trusted: true, type: number }\n  plan: { cookie: plan, values: [pro], otherwise: free }\n\
                         experiments: { hero: { variations: [a, b] } }\nvisitor: { id: { cookie: uid } }\n\
                         routes: [{ name: a, patches: [{ when: { country: other, age: { $gt: 6 }, plan: free }, select: h1, text: x }] }]\n";
    fs::write(folder.path().join("engraft.yaml"), configuration)?;
    let run = engraft(folder.path(), ["test"])?;
    assert_eq!(run.code, Some(0), "{run:?}");
    let scenarios = "scenarios: [{ name: it, given: { url: /, attributes: { variants.hero: b } }, expect: { route: a } }]";
    fs::write(folder.path().join("some.test.yaml"), scenarios)?;
    let run = engraft(folder.path(), ["test"])?;
    assert!(run.text()?.contains("the configuration has no attribute \"variants.hero\""), "{run:?}");
    Ok(())
}

#[test]
fn pages_in_other_encodings_are_read_as_they_are() -> Tested {
    let folder = folder(
        "given: { url: /home/, page: page.html, response: { headers: { content-type: text/html; charset=iso-8859-1 } } }\n\
         scenarios: [{ name: it, expect: { select: { p: café } } }]",
    )?;
    fs::write(folder.path().join("page.html"), b"<p>caf\xe9</p>")?;
    let run = engraft(folder.path(), ["test"])?;
    assert_eq!(run.code, Some(0), "{run:?}");
    Ok(())
}

#[test]
fn a_site_has_no_pages_outside_its_folder() -> Tested {
    let folder = folder(
        "site: site\nscenarios: [{ name: it, given: { url: /../page.html }, expect: { status: 200 } }]",
    )?;
    let run = engraft(folder.path(), ["test"])?;
    assert!(run.text()?.contains("the path names no file in the \"site\""), "{run:?}");
    Ok(())
}

#[test]
fn what_would_steer_a_terminal_is_shown() -> Tested {
    let run = told(r#"given: { html: "<h1>\e[31m</h1>" }, expect: { select: { h1: x } }"#)?;
    assert!(run.text()?.contains("+ \\u{1b}[31m"), "{run:?}");
    assert!(!run.text()?.contains('\u{1b}'), "{run:?}");
    Ok(())
}

#[test]
fn a_new_visitor_is_the_same_each_time_and_today_is_no_other_day() -> Tested {
    let once = told("expect: { headers: { set-cookie: x } }")?;
    let again = told("expect: { headers: { set-cookie: x } }")?;
    assert!(once.text()?.contains("visitor="), "{once:?}");
    assert_eq!(once.text()?, again.text()?);
    Ok(())
}

/// The lines that a watching run prints, up to the one that says that it watches.
fn round(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Result<Vec<String>, Box<dyn Error>> {
    let mut round = Vec::new();
    for line in lines {
        let line = line?;
        if line.starts_with("watching") {
            return Ok(round);
        }
        round.push(line);
    }
    Err("it ended".into())
}

#[test]
fn a_change_of_a_page_or_the_configuration_is_a_new_round() -> Tested {
    let folder = folder(
        "scenarios: [{ name: it, given: { url: /home/, page: page.html }, expect: { select: { h1: Hello } } }]",
    )?;
    // Whole, or the run between may see half of it.
    let write = |name: &str, text: &str| {
        let new = folder.path().join("new");
        fs::write(&new, text).and_then(|()| fs::rename(new, folder.path().join(name)))
    };
    let mut child = Ended(
        Command::new(env!("CARGO_BIN_EXE_engraft"))
            .args(["test", "--watch"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut lines = BufReader::new(child.0.stdout.take().ok_or("no standard output")?).lines();
    let has = |round: &[String], mark: &str| round.iter().any(|line| line.contains(mark));
    assert!(has(&round(&mut lines)?, "✓ it"));
    write("page.html", "<h1>Something else</h1>")?;
    assert!(has(&round(&mut lines)?, "✗ it"));
    write("engraft.yaml", "version: 2\n")?;
    assert!(has(&round(&mut lines)?, "can't be used"));
    write("engraft.yaml", "version: 1\nroutes: [{ name: a, patches: [{ select: h1, text: Hello }] }]\n")?;
    assert!(has(&round(&mut lines)?, "✓ it"));
    write("more.test.yaml", "scenarios: [{ name: more, given: { url: / }, expect: { route: a } }]")?;
    assert!(has(&round(&mut lines)?, "✓ more"));
    Ok(())
}

#[test]
fn a_watching_run_goes_on_whatever_is_taken_away() -> Tested {
    let folder = folder(
        "scenarios: [{ name: it, given: { url: /home/, html: <h1>a }, expect: { body: { snapshot: true } } }]",
    )?;
    assert_eq!(engraft(folder.path(), ["test", "--update"])?.code, Some(0));
    let at = |name: &str| folder.path().join(name);
    let mut child = Ended(
        Command::new(env!("CARGO_BIN_EXE_engraft"))
            .args(["test", "--watch", "--filter", "it", "some.test.yaml"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?,
    );
    let mut lines = BufReader::new(child.0.stdout.take().ok_or("no standard output")?).lines();
    let mut said = BufReader::new(child.0.stderr.take().ok_or("no standard error")?).lines();
    let has = |round: &[String], mark: &str| round.iter().any(|line| line.contains(mark));
    assert!(has(&round(&mut lines)?, "✓ it"));
    fs::rename(at("__snapshots__/some/it.html"), at("it.html"))?;
    assert!(has(&round(&mut lines)?, "✗ it"), "a snapshot is a file that was read");
    fs::rename(at("it.html"), at("__snapshots__/some/it.html"))?;
    assert!(has(&round(&mut lines)?, "✓ it"));
    for (from, to, why) in [
        ("some.test.yaml", "away", "can't read some.test.yaml"),
        ("other.yaml", "some.test.yaml", "no scenario has \"it\" in its name"),
    ] {
        let other = "scenarios: [{ name: another, given: { url: / }, expect: { status: 200 } }]";
        fs::write(at("other.yaml"), other)?;
        fs::rename(at(from), at(to))?;
        assert!(round(&mut lines)?.iter().all(String::is_empty));
        let told = said.next().ok_or("it ended")??;
        assert!(told.contains(why), "{told}");
    }
    fs::rename(at("away"), at("some.test.yaml"))?;
    assert!(has(&round(&mut lines)?, "✓ it"));
    Ok(())
}

/// A process that does not outlive its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_page_of_the_docs_has_every_field() -> Tested {
    let docs = fs::read_to_string(workspace().join("docs/testing.md"))?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/test");
    for (file, structs) in [
        ("scenario.rs", &["Suite", "Scenario", "Given", "Response"][..]),
        ("expect.rs", &["Expect", "Text", "Redirect", "Element", "Request", "Cacheable", "Body"]),
    ] {
        let source = fs::read_to_string(sources.join(file))?;
        for name in structs {
            let (_, rest) = source.split_once(&format!("struct {name} {{")).ok_or(*name)?;
            let body = rest.split("\n}").next().unwrap_or_default();
            let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub(super) "));
            for field in fields.filter_map(|field| field.split(':').next()) {
                assert!(docs.contains(&format!("`{field}")), "{name}.{field} is not in docs/testing.md");
            }
        }
    }
    Ok(())
}
