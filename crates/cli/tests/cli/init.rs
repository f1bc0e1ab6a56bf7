//! `engraft init`: what it writes works, and it writes over nothing.

use std::error::Error;
use std::fs;
use std::path::Path;

use engraft::config::source;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, Tested, engraft, engraft_with, workspace};

/// A visitor for whom each patch of the starter is.
const ADA: [&str; 6] = [
    "-H",
    "user-agent: Mozilla/5.0",
    "-H",
    "x-geo-country: US",
    "-H",
    "cookie: engraft_id=u-2; first_name=<Ada>",
];

/// What `init` says and leaves behind, in a folder that was empty.
fn init(args: &[&str]) -> Result<(TempDir, Run), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let run = engraft(folder.path(), ["init"].iter().chain(args))?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
    Ok((folder, run))
}

fn schema_line(file: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
    Ok(line.ok_or_else(|| format!("{}: no schema in the first line", file.display()))?.to_owned())
}

/// The starter with what is commented out in it. `#code` is code and `# Text` text.
fn with_all_examples(starter: &str) -> String {
    let uncommented = |line: &str| {
        let (indent, rest) = line.split_once('#').unwrap_or((line, " "));
        let is_code = indent.trim().is_empty() && (!rest.starts_with(' ') || rest.starts_with("  "));
        if is_code { format!("{indent}{rest}\n") } else { format!("{line}\n") }
    };
    starter.lines().map(uncommented).collect()
}

#[test]
fn what_it_writes_is_fine_and_valid() -> Tested {
    let (folder, said) = init(&[])?;
    assert!(said.text()?.starts_with("wrote engraft.yaml and engraft.schema.json\n"), "{said:?}");
    for step in
        ["engraft check engraft.yaml", "engraft render --config engraft.yaml", "engraft serve --config"]
    {
        assert!(said.text()?.contains(step), "{step}: {said:?}");
    }
    let check = engraft(folder.path(), ["check", "engraft.yaml"])?;
    assert_eq!(check.text()?.lines().next(), Some("engraft.yaml is fine: 1 route, 3 patches"));

    let named = schema_line(&folder.path().join("engraft.yaml"))?;
    assert_eq!(named, "engraft.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(folder.path().join(named))?)?;
    assert_eq!(schema, engraft(folder.path(), ["schema"])?.json()?);
    let document = source::read(&fs::read(folder.path().join("engraft.yaml"))?)?.decode()?;
    let validator = jsonschema::validator_for(&schema)?;
    let errors = validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path()));
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new());
    Ok(())
}

#[test]
fn what_is_commented_out_is_fine_too() -> Tested {
    let (folder, _) = init(&[])?;
    let starter = fs::read_to_string(folder.path().join("engraft.yaml"))?;
    let all = with_all_examples(&starter);
    let check = engraft_with(folder.path(), ["check", "-"], all.as_bytes())?;
    assert_eq!(check.text()?.lines().next(), Some("<stdin> is fine: 2 routes, 7 patches"), "{all}");
    Ok(())
}

#[test]
fn a_page_of_the_shop_and_a_page_of_ones_own_are_changed() -> Tested {
    let (folder, _) = init(&[])?;
    fs::write(folder.path().join("own.html"), "<title>Mine</title><body class=a><h1>Hello</h1><p>Text")?;
    let shop = workspace().join("examples/shop/site/index.html").canonicalize()?;
    let shop = shop.to_str().ok_or("a folder whose name is not UTF-8")?;
    let render = |page, visitor: &[&str]| {
        let args = ["render", "--config", "engraft.yaml", "--url", "/", "--verbose", "--body", page];
        engraft(folder.path(), args.iter().chain(visitor))
    };

    let own = render("own.html", &ADA)?;
    let banner = "<p style=\"margin:0;padding:.75em;text-align:center;background:#1d4d40;color:#fff\">";
    assert_eq!(
        own.text()?,
        format!(
            "<title>Mine</title><body class=a>{banner}Hello, &lt;Ada&gt;: this page came through engraft.</p><h1>New: Hello</h1>\
             <p style=\"font-weight:bold\">Free shipping across the US and Canada.</p><p>Text"
        )
    );
    for page in ["own.html", shop] {
        let run = render(page, &ADA)?;
        assert!(run.stderr.ends_with("patch: banner=1\npatch: shipping=1\npatch: lively=1\n"), "{run:?}");
        let run = render(page, &[])?;
        assert!(run.text()?.contains("Hello, stranger: this page"), "{run:?}");
        assert!(run.stderr.ends_with("patch: banner=1\n"), "{run:?}");
    }
    Ok(())
}

#[test]
fn nothing_is_written_over_without_force() -> Tested {
    let (folder, _) = init(&[])?;
    let (config, schema) = (folder.path().join("engraft.yaml"), folder.path().join("engraft.schema.json"));
    fs::write(&config, "version: 1 # mine")?;
    let run = engraft(folder.path(), ["init"])?;
    assert_eq!(
        run.stderr,
        "error: engraft.yaml is there already; name another file, or write over it with --force\n"
    );
    assert_eq!(
        (run.code, run.text()?, fs::read_to_string(&config)?.as_str()),
        (Some(2), "", "version: 1 # mine")
    );

    // The schema that is there is the one that would be written: a second configuration may name it.
    assert_eq!(engraft(folder.path(), ["init", "other.yaml"])?.code, Some(0));
    fs::write(&schema, "{}")?;
    let run = engraft(folder.path(), ["init", "third.yaml"])?;
    assert!(run.stderr.starts_with("error: engraft.schema.json is there already;"), "{run:?}");
    assert_eq!(
        (fs::read(&schema)?.as_slice(), folder.path().join("third.yaml").exists()),
        (&b"{}"[..], false)
    );

    assert_eq!(engraft(folder.path(), ["init", "--force"])?.code, Some(0));
    assert_eq!(fs::read(&config)?, fs::read(folder.path().join("other.yaml"))?);
    assert_eq!(fs::read(&schema)?, engraft(folder.path(), ["schema"])?.stdout);
    Ok(())
}

#[test]
fn standard_output_is_the_same_configuration_and_leaves_no_file() -> Tested {
    let (folder, run) = init(&["-"])?;
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    let (written, _) = init(&[])?;
    assert_eq!(run.stdout, fs::read(written.path().join("engraft.yaml"))?);

    let (folder, run) = init(&["-", "--schema", "s.json"])?;
    assert!(run.text()?.starts_with("# yaml-language-server: $schema=s.json\n"), "{run:?}");
    assert_eq!(fs::read(folder.path().join("s.json"))?, engraft(folder.path(), ["schema"])?.stdout);
    Ok(())
}

#[test]
fn the_schema_is_named_as_seen_from_the_configuration() -> Tested {
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("sites/my shop"))?;
    fs::create_dir(folder.path().join("schemas"))?;
    let file = "sites/my shop/engraft.yaml";
    let run = engraft(folder.path(), ["init", file, "--schema", "schemas/engraft.json"])?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.text()?.contains(&format!("\n  engraft check '{file}'\n")), "{run:?}");
    let named = schema_line(&folder.path().join(file))?;
    assert_eq!(named, "../../schemas/engraft.json");
    let from = folder.path().join("sites/my shop").join(named);
    assert_eq!(from.canonicalize()?, folder.path().join("schemas/engraft.json").canonicalize()?);
    Ok(())
}

#[test]
fn a_schema_that_the_line_cannot_name_is_refused_before_anything_is_written() -> Tested {
    let folder = tempfile::tempdir()?;
    let run = engraft(folder.path(), ["init", "--schema", "my schema.json"])?;
    assert!(run.stderr.starts_with("error: editors can't find a schema at \"my schema.json\", "), "{run:?}");
    assert_eq!((run.code, fs::read_dir(folder.path())?.count()), (Some(2), 0));

    let run = engraft(folder.path(), ["init", "nowhere/engraft.yaml"])?;
    assert!(run.stderr.starts_with("error: can't write nowhere/engraft.schema.json: "), "{run:?}");
    assert_eq!(run.code, Some(2));
    Ok(())
}
