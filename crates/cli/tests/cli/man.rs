//! `engraft man`: a page for each command, which man's own programs can read.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::command::{Tested, commands, engraft};

/// The page as text, by the first program that is there; `None` where there is none.
fn shown(page: &Path) -> Result<Option<String>, Box<dyn Error>> {
    let programs: [(&str, &[&str]); 2] =
        [("mandoc", &["-T", "utf8", "-W", "error"]), ("groff", &["-man", "-T", "utf8", "-ww"])];
    for (program, args) in programs {
        let Ok(output) = Command::new(program).args(args).arg(page).output() else { continue };
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && complaints.is_empty(),
            "{program} {}: {complaints}",
            page.display()
        );
        return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    Ok(None)
}

#[test]
fn there_is_a_page_for_each_command() -> Tested {
    let folder = tempfile::tempdir()?;
    let run = engraft(folder.path(), ["man", "share/man1"])?;
    assert_eq!(run.text()?, "wrote engraft.1 and a page for each command to share/man1\n");
    let pages = fs::read_dir(folder.path().join("share/man1"))?.map(|page| page.map(|page| page.path()));
    let pages = pages.collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> =
        pages.iter().filter_map(|page| page.file_name()?.to_str().map(str::to_owned)).collect();
    let mut expected: BTreeSet<_> = commands()?.iter().map(|name| format!("engraft-{name}.1")).collect();
    assert!(expected.contains("engraft-check.1"), "{expected:?}");
    expected.insert("engraft.1".to_owned());
    assert_eq!(names, expected);

    for page in pages {
        let roff = fs::read_to_string(&page)?;
        for section in [".TH engraft", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH \"EXIT CODES\""] {
            assert!(roff.contains(section), "{}: {section}", page.display());
        }
        match shown(&page)? {
            Some(text) => assert!(text.contains("0  done; the configuration is fine"), "{text}"),
            None => writeln!(std::io::stderr(), "SKIPPED: {}: no mandoc or groff", page.display())?,
        }
    }
    Ok(())
}

#[test]
fn without_a_folder_the_first_page_is_printed() -> Tested {
    let folder = tempfile::tempdir()?;
    let printed = engraft(folder.path(), ["man"])?;
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    assert!(printed.text()?.contains("\n.SH NAME\nengraft "), "{printed:?}");
    for command in commands()? {
        assert!(printed.text()?.contains(&format!("engraft\\-{command}(1)")), "{command}");
    }
    engraft(folder.path(), ["man", "."])?;
    assert_eq!(fs::read(folder.path().join("engraft.1"))?, printed.stdout);
    Ok(())
}
